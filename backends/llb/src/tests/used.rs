//! What is asked for of a directory that is sent.

use cogpack_ir::plan::InputName;

use super::lower_with;
use super::lowering::{block, block_of, on_image};
use crate::known::Kind;
use crate::listing;

#[test]
fn only_what_is_used_of_a_directory_is_asked_for() {
    let followed = |ops: &str| {
        let text = on_image(&format!("copy \"z\" from @source to \"/etc/z\"\n{ops}"));
        let block = block(&text, "@source");
        block.lines().find_map(|line| line.strip_prefix("  local.followpaths = ")).unwrap_or("all").to_owned()
    };
    assert_eq!(followed(""), r#"["z"]"#);
    assert_eq!(
        followed(r#"copy "a/b/c" "a/b/*.py" "a/x" from @source into "/etc/d""#),
        r#"["a/b/*.py","a/b/c","a/x","z"]"#
    );
    assert_eq!(followed(r#"copy "*.py" "x?" from @source into "/etc/d""#), r#"["*.py","x?","z"]"#);
    assert_eq!(followed(r#"copy "a/b[xy]" from @source into "/etc/d""#), r#"["a","z"]"#);
    assert_eq!(followed(r#"copy "a/b*" from @source into "/etc/d" follow"#), r#"["a/b*","z"]"#);
    assert_eq!(followed(r#"copy contents "./s/" from @source to "/etc/d""#), r#"["s","z"]"#);
    assert_eq!(followed(r#"run "make" { mount @source at /src select "r.txt" }"#), r#"["r.txt","z"]"#);
    for all in [
        r#"copy contents "." from @source to "/etc/d""#,
        r#"copy "[xy]" from @source into "/etc/d""#,
        r#"copy "[x]" from @source to "/etc/x""#,
        r#"run "make" { mount @source at /src }"#,
    ] {
        assert_eq!(followed(all), "all", "{all}");
    }
    // A client that is not ours must be told of our own directory.
    let block = block(&on_image(r#"copy contents "." from @source to "/etc/d""#), "@source");
    assert!(block.contains(r#"local.excludepatterns = [".cog"]"#), "{block}");
    let many: String = (0..200).map(|n| format!("copy \"f{n}\" from @source to \"/etc/f{n}\"\n")).collect();
    assert_eq!(followed(&many), "all");
}

#[test]
fn includes_that_nothing_uses_are_left_out_where_no_link_leads_to_them() {
    let included = |ops: &str, known: &[&str]| {
        let text = format!(
            "cpk 1\ncontext @it = dir \".\" {{\ninclude \"a.py\"\ninclude \"s/*.py\"\ninclude \"w/**\"\nexclude \"w/x\"\n}}\n\
             stage %a from scratch {{\n{ops}\n}}\nexport from %a"
        );
        let image = lower_with(&text, |llb| {
            let kinds = known.iter().map(|path| ((*path).to_owned(), Kind::Directory));
            llb.known.kinds.insert(InputName::new("it").expect("is a name"), kinds.collect());
        });
        let text = listing(&image.unwrap_or_else(|gaps| panic!("{ops}: {gaps:?}")));
        let block = block_of(&text, "@it");
        block.lines().find_map(|line| line.strip_prefix("  local.includepattern = ")).unwrap_or("").to_owned()
    };
    let all = r#"["a.py","s/*.py","w/**"]"#;
    assert_eq!(included(r#"copy "a.py" from @it to "/b""#, &["a.py"]), r#"["a.py"]"#);
    assert_eq!(
        included(r#"copy "s/t" "w/x/y" from @it into "/b""#, &["s/t", "w/x/y"]),
        r#"["s/*.py","w/**"]"#
    );
    assert_eq!(included(r#"copy "s*" from @it into "/b""#, &[]), all);
    assert_eq!(included(r#"copy "s/t*" from @it into "/b""#, &["s"]), r#"["s/*.py"]"#);
    assert_eq!(included(r#"run "x" { mount @it at /m select "w" }"#, &["w"]), r#"["w/**"]"#);
    // It may be a link, or what a wildcard matches may be; and no include would be all of it.
    assert_eq!(included(r#"copy "a.py" from @it to "/b""#, &[]), all);
    assert_eq!(included(r#"copy "s/t*" from @it into "/b" follow"#, &["s"]), all);
    assert_eq!(included(r#"copy "z" from @it to "/b" optional"#, &["z"]), all);
    assert_eq!(included(r#"copy contents "." from @it to "/b""#, &[]), all);
}
