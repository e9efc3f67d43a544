//! What holds for every definition: its digests, its metadata, its places, its sameness.

use std::fmt::Write as _;

use bollard_buildkit_proto::pb;
use cogpack_content::Digest;
use prost::Message as _;

use super::audit::audit;
use super::{RICH, definition, lower_all, lower_with, lowered, without_merges};
use crate::{listing, origins};

#[test]
fn the_rich_plan_keeps_buildkits_rules() {
    assert_eq!(audit(&definition(&lowered(RICH))), Vec::<String>::new());
    let old = lower_with(RICH, |llb| llb.limits = without_merges());
    // A parallel phase needs what old daemons lack, and says so.
    let gaps = old.map(|_| ()).expect_err("parallel phases need diffs");
    assert_eq!(gaps.iter().map(|gap| gap.code).collect::<Vec<_>>(), ["cpk::unsupported::parallel"]);
    let sequential = RICH.replace(" parallel", "");
    let old = lower_with(&sequential, |llb| llb.limits = without_merges()).expect("needs nothing new");
    let old = definition(&old);
    assert_eq!(audit(&old), Vec::<String>::new());
    assert!(old.metadata.values().all(|of_one| !of_one.caps.contains_key("mergeop")));
}

#[test]
fn digests_recompute_and_bytes_survive_decoding() {
    let image = lowered(RICH);
    let read = definition(&image);
    let recomputed: Vec<Digest> = read.def.iter().map(|op| Digest::of(op)).collect();
    assert_eq!(*image.digests, recomputed);
    // The published types write the map in the order of its keys, and so in another order.
    let again = crate::LlbImage { definition: read.encode_to_vec().into(), ..image.clone() };
    assert_eq!(definition(&again), read);
    assert_eq!(again.definition.to_bytes().len(), image.definition.to_bytes().len());
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
            "stage %s{stage} from %s{before} {{ copy \".\" from @source to \"/etc/f{stage}\" \
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
fn every_platform_has_a_definition_of_its_own() {
    let text = RICH.replace("platform linux/arm64", "platform linux/amd64\nplatform linux/arm64");
    let images = lower_all(&text, |_| {}).expect("can be lowered");
    let platforms: Vec<String> = images.iter().map(|image| image.platform.to_string()).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    for image in &images {
        assert_eq!(audit(&definition(image)), Vec::<String>::new());
    }
    let [first, second] = images.as_slice() else { panic!("two platforms") };
    // A copy of finished files is the same on every platform, and shared.
    let shared = first.digests.iter().filter(|digest| second.digests.contains(digest)).count();
    assert!(0 < shared && shared < first.digests.len(), "{shared}");
    assert_eq!(lowered(RICH).digests, second.digests);
}

#[test]
fn a_definition_says_what_its_client_must_bring() {
    let needs = lowered(RICH).needs;
    let directories: Vec<&str> = needs.directories.iter().map(|name| name.as_str()).collect();
    assert_eq!(directories, ["source"]);
    assert!(needs.layouts.is_empty());
    let secrets: Vec<(&str, bool)> =
        needs.secrets.iter().map(|(name, optional)| (name.as_str(), *optional)).collect();
    assert_eq!(secrets, [("token", true)]);
    assert!(needs.agents.iter().eq(["default"]));
    assert!(needs.entitlements.iter().map(|one| one.id()).eq(["network.host"]));
}

#[test]
fn vertices_lead_back_to_the_plan() {
    let image = lowered(RICH);
    let origins = origins(&image);
    assert!(image.digests[..image.digests.len() - 1].iter().all(|digest| origins.contains_key(digest)));
    let of = |what: &str| {
        origins.values().find(|origin| origin.what.starts_with(what)).unwrap_or_else(|| panic!("no {what}"))
    };
    let run = of("run apt-get update");
    assert_eq!((run.phase.as_deref(), run.place.as_str()), (Some("build.base"), "%base"));
    let line = u32::try_from(RICH.lines().position(|line| line.contains("run \"apt-get")).expect("is there"));
    assert_eq!(run.lines, [line.expect("is small") + 1..=line.expect("is small") + 5]);
    assert_eq!(run.group, None);
    let base = of("docker.io/library/debian:bookworm-slim@sha256");
    assert_eq!((base.phase.as_deref(), base.place.as_str()), (None, "@build"));
    let pip = of("exec /venv/bin/pip");
    assert_eq!(pip.group.as_ref().map(|group| group.id.as_str()), Some("%venv/deps"));
}

#[test]
fn what_is_made_anew_says_so_beside_the_vertices() {
    let usual = lowered(RICH);
    let anew = lower_with(RICH, |llb| llb.ignores_caches = true).expect("needs nothing more");
    assert_eq!(anew.digests, usual.digests);
    let (usual, anew) = (definition(&usual), definition(&anew));
    assert!(usual.metadata.values().all(|of_one| !of_one.ignore_cache));
    for bytes in &anew.def {
        let digest = Digest::of(bytes).to_string();
        let op = pb::Op::decode(bytes.as_slice()).expect("is an op").op;
        let is_source = matches!(op, Some(pb::op::Op::Source(_)));
        assert_eq!(anew.metadata[&digest].ignore_cache, !is_source, "{op:?}");
        assert_eq!(anew.metadata[&digest].caps.contains_key("meta.ignorecache"), !is_source);
    }
}
