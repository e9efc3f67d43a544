//! Owners by name: where they are looked up, and definitions of just that.

use bollard_buildkit_proto::pb;
use prost::Message as _;

use super::audit::audit;
use super::{definition, lower_all, lowered};
use crate::owners::{Lookup, lookups, not_looked_up};

const PLAN: &str = r#"cpk 1
platform linux/amd64
platform linux/arm64
image @base = "debian" config empty
context @source = dir "."
stage %other from image @base {
  run "make other"
}
stage %app from image @base {
  copy "a" from @source to "/a" owner app:crew
  layer two {
    file "/srv/b" owner app:7 = "b"
    copy "/c" from %other to "/srv/c" owner 7:crew
  }
  run "adduser late"
  layer three {
    file "/etc/group" = "late:x:9:"
    mkdir "/d" mode 0700 owner 7:late
  }
}
export from %app
"#;

/// What the ops of a definition are called; nothing for the terminal one.
fn names(definition: &[u8]) -> Vec<String> {
    let read = pb::Definition::decode(definition).expect("is a definition");
    assert_eq!(audit(&read), Vec::<String>::new());
    let digests = read.def.iter().map(|op| cogpack_content::Digest::of(op).to_string());
    let name = |digest: String| read.metadata[&digest].description.get("llb.customname").cloned();
    digests.filter_map(name).collect()
}

#[test]
fn names_are_looked_up_in_what_the_op_stands_on() {
    let image = lowered(PLAN);
    let look = |look: Lookup<'_>| {
        let owners = look.owners.iter().map(|owner| owner.value.to_string()).collect::<Vec<_>>().join(" ");
        (owners, names(&look.definition))
    };
    let rounds: Vec<Vec<_>> =
        lookups(&image).into_iter().map(|round| round.into_iter().map(look).collect()).collect();
    let [first, second, third] = rounds.as_slice() else { panic!("{rounds:#?}") };
    let base = "image @base: docker.io/library/debian:latest";
    assert_eq!(*first, [("app:crew".to_owned(), vec![base.to_owned()])]);
    // What no owner stands on is not asked for: %other, and what comes later.
    let [(owners, made)] = second.as_slice() else { panic!("{second:#?}") };
    assert_eq!(owners, "app:7 7:crew");
    assert_eq!(made.last().map(String::as_str), Some("%app: copy a from @source to /a"));
    assert!(made.iter().all(|name| !name.starts_with("%other")), "{made:#?}");
    let [(owners, made)] = third.as_slice() else { panic!("{third:#?}") };
    assert_eq!(owners, "7:late");
    assert_eq!(made.last().map(String::as_str), Some("%app: file /etc/group"));
    let whole = definition(&image);
    for look in lookups(&image).into_iter().flatten() {
        let read = pb::Definition::decode(look.definition.as_slice()).expect("is a definition");
        // The daemon finds again what it has made, because the ops are the same.
        assert!(read.def[..read.def.len() - 1].iter().all(|op| whole.def.contains(op)));
    }
}

#[test]
fn each_owner_by_name_is_told_once_for_all_platforms() {
    let images = lower_all(PLAN, |_| {}).expect("can be lowered");
    assert_eq!(images.len(), 2);
    let told = not_looked_up(&images);
    let owners: Vec<String> = told.iter().map(|it| it.owner.to_string()).collect();
    assert_eq!(owners, ["app:crew", "app:7", "7:crew", "7:late"]);
    for it in &told {
        let span = it.span.expect("the plan writes it");
        assert_eq!(&PLAN[span.offset()..span.offset() + span.len()], it.owner.to_string());
    }
}
