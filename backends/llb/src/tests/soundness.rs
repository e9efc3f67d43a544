//! What holds for every definition: its digests, its metadata, its places, its sameness.

use std::fmt::Write as _;

use cogpack_content::Digest;
use prost::Message as _;

use super::audit::audit;
use super::{RICH, definition, lower_with, lowered};
use crate::{Abilities, listing};

#[test]
fn the_rich_plan_keeps_buildkits_rules() {
    assert_eq!(audit(&definition(&lowered(RICH))), Vec::<String>::new());
    let old = lower_with(RICH, |llb| llb.abilities.merge = false);
    // A parallel phase needs what old daemons lack, and says so.
    let gaps = old.map(|_| ()).expect_err("parallel phases need diffs");
    assert_eq!(gaps.iter().map(|gap| gap.code).collect::<Vec<_>>(), ["cpk::unsupported::parallel"]);
    let sequential = RICH.replace(" parallel", "");
    let old = lower_with(&sequential, |llb| llb.abilities.merge = false).expect("needs nothing new");
    let old = definition(&old);
    assert_eq!(audit(&old), Vec::<String>::new());
    assert!(old.metadata.values().all(|of_one| !of_one.caps.contains_key("mergeop")));
}

#[test]
fn digests_recompute_and_bytes_survive_decoding() {
    let image = lowered(RICH);
    let read = definition(&image);
    let recomputed: Vec<Digest> = read.def.iter().map(|op| Digest::of(op)).collect();
    assert_eq!(image.digests, recomputed);
    // The published types write the map in the order of its keys, and so in another order.
    let again = crate::LlbImage { definition: read.encode_to_vec(), ..image.clone() };
    assert_eq!(definition(&again), read);
    assert_eq!(again.definition.len(), image.definition.len());
}

#[test]
fn every_vertex_has_a_name_and_a_place() {
    let read = definition(&lowered(RICH));
    let source = read.source.as_ref().expect("there is a source map");
    assert_eq!(source.infos.len(), 1);
    assert_eq!(source.infos[0].filename, "plan.cpk");
    assert_eq!(source.infos[0].data, RICH.as_bytes());
    let lines = i32::try_from(RICH.lines().count()).expect("is short");
    for op in &read.def[..read.def.len() - 1] {
        let digest = Digest::of(op).to_string();
        let name = &read.metadata[&digest].description["llb.customname"];
        let ranges: Vec<_> =
            source.locations[&digest].locations.iter().flat_map(|location| &location.ranges).collect();
        assert!(!ranges.is_empty(), "{name}");
        for range in ranges {
            let [start, end] = [range.start, range.end].map(|at| at.map_or(0, |at| at.line));
            assert!(1 <= start && start <= end && end <= lines, "{name}: {start}-{end}");
        }
    }
}

#[test]
fn equal_plans_have_equal_bytes() {
    let [one, other] = [lowered(RICH), lowered(RICH)];
    assert_eq!(one, other);
    assert_eq!(listing(&one), listing(&other));
    let elsewhere = lower_with(RICH, |llb| llb.unique = "elsewhere".to_owned()).expect("can be lowered");
    assert_ne!(one.digests, elsewhere.digests);
}

#[test]
fn comments_and_names_change_no_digest() {
    let shifted = RICH.replacen("\nplatform", "\n# a comment\n\nplatform", 1);
    assert_eq!(lowered(RICH).digests, lowered(&shifted).digests);
    assert_eq!(lowered(RICH).digests, lowered(&RICH.replace("%venv", "%other")).digests);
}

#[test]
fn equal_work_of_two_stages_is_one_vertex_with_two_places() {
    let image = lowered(
        r#"cpk 1
           image @base = "base" config empty
           stage %one from image @base { run "make" }
           stage %two from image @base { run "make" }
           stage %both from scratch {
             copy "/" from %one to "/one"
             copy "/" from %two to "/two"
           }
           export from %both"#,
    );
    assert_eq!(image.digests.len(), 6, "the image, the run, two copies, their merge, the end");
    let read = definition(&image);
    let places =
        &read.source.as_ref().expect("there is a source map").locations[&image.digests[1].to_string()];
    assert_eq!(places.locations.len(), 2);
}

#[test]
fn many_stages_stay_sound() {
    let mut text = String::from("cpk 1\nimage @base = \"base\" config empty\ncontext @source = dir \".\"\n");
    text.push_str("stage %s0 from image @base\n");
    for stage in 1..=200 {
        let before = stage - 1;
        writeln!(
            text,
            "stage %s{stage} from %s{before} {{ copy \"f{stage}\" from @source to \"/etc/f{stage}\" \
             env V{} = \"{stage}\" run \"make {stage}\" }}",
            stage % 20
        )
        .expect("writing to a string cannot fail");
    }
    text.push_str("export from %s200\n");
    let image = lowered(&text);
    assert_eq!(image.digests.len(), 2 + 2 * 200 + 1);
    assert_eq!(audit(&definition(&image)), Vec::<String>::new());
}

#[test]
fn abilities_are_read_from_a_daemons_list() {
    assert_eq!(Abilities::of(["mergeop", "file.base", "diffop"]), Abilities::CURRENT);
    assert_eq!(Abilities::of(["mergeop"]), Abilities { merge: false });
}
