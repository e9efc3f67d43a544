//! Plans and the layers they become, without any disk.

mod owners;
mod programs;
mod sizes;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::sync::Arc;

use cogpack_backends_contract::Backend;
use cogpack_backends_contract::content::{Content, ContentSource, ContextFile, LayerFile, Stamp};
use cogpack_backends_contract::listed::Listed;
use cogpack_backends_contract::tree::{Attributes, Ids, Node, Tree, components};
use cogpack_content::Digest;
use cogpack_ir::plan::{ImageConfig, InputName, Mode};
use cogpack_ir::resolve::{KnownConfigs, Resolved, resolve};
use cogpack_ir::syntax;
use cogpack_ir::verify::verify;

use crate::blob::{Blob, LayerBlob};
use crate::compression::Coding;
use crate::documents::media;
use crate::evaluate::ImageLayer;
use crate::image::{Finished, documents};
use crate::inputs::{BaseImage, BaseLayer};
use crate::listing::listing;
use crate::pack::Packing;
use crate::{Assembly, Configs, Inputs, OciDirect};

fn name(text: &str) -> InputName {
    InputName::new(text).expect("is a name")
}

fn resolved(text: &str) -> Resolved {
    let parsed = syntax::parse(text);
    assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
    let verified = verify(parsed.plan).unwrap_or_else(|findings| panic!("{findings:?}"));
    let known = KnownConfigs::from([(name("base"), ImageConfig::default())]);
    resolve(verified, &known).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// A tree whose files are `path` and whose links are `path->target`.
fn tree(entries: &str, content: impl Fn(&str) -> Content) -> Tree<Content> {
    let mut tree = Tree::empty();
    for entry in entries.split_whitespace() {
        let (path, target) = entry.split_once("->").map_or((entry, None), |(path, to)| (path, Some(to)));
        let is_directory = path.ends_with('/');
        let names = components(path.as_bytes());
        let above = if is_directory { &names[..] } else { &names[..names.len() - 1] };
        tree.make_directories(above, Attributes::ON_THE_WAY).expect("is free");
        if !is_directory {
            let node = match target {
                Some(target) => Node::Symlink { ids: Ids::ROOT, target: target.as_bytes().into() },
                None => Node::File {
                    attributes: Attributes { mode: Mode::FILE, ids: Ids::ROOT },
                    content: content(path),
                },
            };
            tree.insert(&names, node).expect("is free");
        }
    }
    tree
}

fn context_file(context: &str, path: &str, linked: bool) -> Content {
    let path = path.as_bytes().to_vec();
    Content::Context(Listed::from(ContextFile {
        context: name(context),
        path,
        size: 3,
        linked,
        stamp: Stamp::None,
    }))
}

/// Inputs with the context `@source` and the base `@base`.
fn inputs(source: &str, base: &str) -> Inputs {
    let layer = Digest::of(b"base");
    let blob = LayerBlob { blob: Blob { digest: layer, size: 1 }, diff_id: layer };
    let base = BaseImage {
        layers: vec![BaseLayer { media_type: media::LAYER_GZIP, blob }],
        history: Vec::new(),
        tree: tree(base, |path| {
            Content::Layer(Arc::new(LayerFile { layer, entry: path.len() as u64, size: 3 }))
        }),
    };
    Inputs {
        directories: BTreeMap::from([(
            name("source"),
            tree(source, |path| context_file("source", path, false)),
        )]),
        bases: BTreeMap::from([(name("base"), base)]),
        ..Inputs::default()
    }
}

fn assembled(text: &str, inputs: &Inputs) -> Result<Assembly, Vec<String>> {
    let recipe =
        OciDirect::default().lower(&resolved(text)).unwrap_or_else(|unsupported| panic!("{unsupported:?}"));
    recipe
        .assemble(inputs, &Letters, 0)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// The listing without its platform line.
fn listed(text: &str, inputs: &Inputs) -> String {
    let image = assembled(text, inputs).unwrap_or_else(|problems| panic!("{problems:?}"));
    let listing = listing(&image);
    let (_, layers) = listing.split_once('\n').expect("starts with a line of platforms");
    layers.to_owned()
}

fn problems(text: &str, inputs: &Inputs) -> Vec<String> {
    assembled(text, inputs).expect_err("makes no image")
}

const CONTEXTS: &str = "cpk 1\ncontext @source = dir \".\"\ncontext @base = oci \"base\"\n";

/// A plan of one stage with these ops, exported.
fn plan(from: &str, ops: &str) -> String {
    format!("{CONTEXTS}stage %app from {from} {{\n{ops}\n}}\nexport from %app\n")
}

#[test]
fn each_op_is_a_layer_and_a_group_is_one() {
    let ops = r#"
        by python at "cog.yaml":4
        copy contents "." from @source to "/src"
        env A = "b"
        layer setup { mkdir "/etc/app" mode 0700 file "/etc/app/conf" = "text" symlink "conf" at /etc/app/link }
        workdir "/src"
        remove "/src/a"
    "#;
    let expected = r#"
layer  %app: copy contents "." from @source to "/src"  # by python at "cog.yaml":4
  0755 0:0 /src/
  0644 0:0 /src/a (3 bytes of @source a)
  0755 0:0 /src/d/
  0644 0:0 /src/d/b (3 bytes of @source d/b)

nothing  %app: env A = "b"  # by python at "cog.yaml":4

layer  %app: layer setup  # by python at "cog.yaml":4
  0755 0:0 /etc/
  0700 0:0 /etc/app/
  0644 0:0 /etc/app/conf (4 bytes in the plan)
  link 0:0 /etc/app/link -> conf

nothing  %app: workdir "/src"  # by python at "cog.yaml":4

layer  %app: remove "/src/a"  # by python at "cog.yaml":4
  gone /src/a
"#;
    assert_eq!(listed(&plan("scratch", ops), &inputs("a d/b", "")), expected);
}

#[test]
fn a_base_is_passed_through_and_its_links_are_followed() {
    let digest = Digest::of(b"base");
    let ops = "copy \"a\" from @source to \"/lib/app/a\"\nremove \"/usr/lib/x\"";
    let expected = format!(
        r#"
base {digest}  a layer of the base image

layer  %app: copy "a" from @source to "/lib/app/a"
  0755 0:0 /usr/lib/app/
  0644 0:0 /usr/lib/app/a (3 bytes of @source a)

layer  %app: remove "/usr/lib/x"
  gone /usr/lib/x
"#
    );
    assert_eq!(listed(&plan("@base", ops), &inputs("a", "usr/lib/x lib->usr/lib")), expected);
}

#[test]
fn replacing_a_directory_takes_away_what_was_in_it() {
    let listing = listed(
        &plan("@base", "copy \"d\" from @source to \"/opt\" replace"),
        &inputs("d/new", "opt/old opt/s/x"),
    );
    let expected = "  gone /opt/old\n  gone /opt/s\n  0644 0:0 /opt/new (3 bytes of @source d/new)\n";
    assert!(listing.ends_with(expected), "{listing}");
}

#[test]
fn an_independent_layer_is_the_same_whatever_is_under_it() {
    let copy = "copy \"d\" from @source to \"/srv/app\"";
    let layer = |from: &str, base: &str| {
        let image = assembled(&plan(from, copy), &inputs("d/a", base)).expect("is an image");
        let layers: Vec<_> = image.layers().cloned().collect();
        match layers.last() {
            Some(ImageLayer::Made(layer)) => {
                let mut entries = Vec::new();
                layer.each(|entry| entries.push(format!("{entry:?}")));
                entries
            }
            other => panic!("{other:?} is no layer of ours"),
        }
    };
    let alone = layer("scratch", "");
    assert_eq!(alone.len(), 3);
    assert_eq!(layer("@base", "srv/other usr/x"), alone);
}

#[test]
fn stages_and_contexts_can_be_started_from() {
    let text = format!(
        "{CONTEXTS}stage %one from @source {{ copy \"a\" from %two to \"/b\" }}\n\
         stage %two from scratch {{ file \"/a\" = \"x\" }}\nexport from %one\n"
    );
    let expected = "
layer  from @source
  0644 0:0 /c (3 bytes of @source c)

layer  %one: copy \"a\" from %two to \"/b\"
  0644 0:0 /b (1 bytes in the plan)
";
    assert_eq!(listed(&text, &inputs("c", "")), expected);
}

fn parallel(left: &str, right: &str) -> String {
    format!(
        "{CONTEXTS}phase p.base\nphase p.side parallel after p.base\nphase p.end after p.side\n\
         stage %base in p.base from scratch {{ mkdir \"/opt\" file \"/opt/old\" = \"x\" }}\n\
         stage %left in p.side {{ {left} }}\nstage %right in p.side {{ {right} }}\n\
         stage %end in p.end {{ copy \"opt\" from phase p.side to \"/copy\" }}\nexport from %end\n"
    )
}

#[test]
fn parallel_stages_are_merged() {
    let listing = listed(
        &parallel("file \"/opt/a/1\" = \"x\"", "file \"/opt/a/2\" = \"x\" remove \"/opt/old\""),
        &Inputs::default(),
    );
    assert!(listing.contains("/copy/a/1 ") && listing.contains("/copy/a/2 "), "{listing}");
    assert!(listing.contains("gone /opt/old") && !listing.contains("/copy/old"), "{listing}");
}

#[test]
fn parallel_stages_that_turn_out_to_write_one_path_are_refused() {
    // What can be seen without any input is the verifier's to say: these depend on what is copied.
    let contents = |directory: &str| format!("copy contents {directory:?} from @source to \"/opt\"");
    let inputs = inputs("file/x same/x below/x/y apart/z link/x->z", "");
    for (left, right, path) in [
        ("file", "same", Some("/opt/x")),
        ("file", "below", Some("/opt/x")),
        ("below", "file", Some("/opt/x")),
        ("below", "link", Some("/opt/x")),
        ("file", "apart", None),
        ("below", "below", Some("/opt/x/y")),
    ] {
        let made = assembled(&parallel(&contents(left), &contents(right)), &inputs);
        let expected =
            path.map(|path| vec![format!("`%left` and `%right` run side by side and both change `{path}`")]);
        assert_eq!(made.err(), expected, "{left} and {right}");
    }
}

#[test]
fn what_cannot_be_done_is_said_once_for_each_stage() {
    let all = problems(
        &format!(
            "{CONTEXTS}stage %one from scratch {{ copy \"missing\" from @source to \"/a\" }}\n\
             stage %two from %one {{ remove \"/b\" }}\n\
             stage %three from scratch {{ remove \"/c\" file \"/d\" = \"\" }}\n\
             stage %end from %two {{ copy \"/\" from %three to \"/x\" }}\nexport from %end\n"
        ),
        &inputs("a", ""),
    );
    assert_eq!(all, ["`missing` is not there to be copied", "`/c` is not there to be removed"]);
    let all = problems(&plan("scratch", "copy \"usr\" from @base to \"/usr\""), &inputs("", "usr/bin/sh"));
    assert_eq!(all, ["`/usr/bin/sh` would be copied out of the layers of a base image"]);
    let all = problems(&plan("scratch", "copy contents \".\" from @source to \"/a\""), &inputs(".wh.b", ""));
    assert_eq!(all, ["`/a/.wh.b` starts with `.wh.`, by which layers mark what is removed"]);
    let all = problems(&plan("scratch", "copy \"a\" from @source to \"/a\""), &Inputs::default());
    assert_eq!(all, ["the input `@source` was not read"]);
    let recipe = OciDirect::default().lower(&resolved(&plan("scratch", "copy \"a\" from @source to \"/a\"")));
    let unread = recipe
        .expect("can be lowered")
        .assemble(&Inputs::default(), &Letters, 0)
        .expect_err("lacks its input");
    let code = miette::Diagnostic::code(&unread[0]).map(|code| code.to_string());
    assert_eq!(code.as_deref(), Some("cpk::oci::input"));
    let all = problems(&plan("@base", "mkdir /a"), &Inputs::default());
    assert_eq!(all, ["there is no OCI image layout at `base`"]);
}

#[test]
fn what_needs_another_backend_is_refused_by_name() {
    let text = format!(
        "platform linux/amd64, linux/arm64\n{CONTEXTS}\
         image @debian = \"debian\"\ncontext @repo = git \"https://example.org/a.git\"\n\
         stage %app from image @debian {{\n\
           run \"true\"\n\
           copy \"a\" from @repo to \"/a\" owner app\n\
           copy \"a\" from @base to \"/b\"\n\
           copy \"a\" from @repo to \"/c${{X}}\"\n\
         }}\nexport from %app\n"
    )
    .replacen(
        "platform linux/amd64, linux/arm64\ncpk 1\n",
        "cpk 1\nplatform linux/amd64\nplatform linux/arm64\n",
        1,
    );
    let parsed = syntax::parse(&text);
    assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
    let verified = match verify(parsed.plan) {
        Ok(verified) => verified,
        Err(findings) => panic!("{findings:?}"),
    };
    let plan = resolve(verified, &KnownConfigs::new()).unwrap_or_else(|findings| panic!("{findings:?}"));
    let codes: Vec<_> = OciDirect::default()
        .lower(&plan)
        .expect_err("needs another")
        .iter()
        .map(|unsupported| unsupported.code)
        .collect();
    assert_eq!(
        codes,
        [
            "cpk::unsupported::image",
            "cpk::unsupported::run",
            "cpk::unsupported::context",
            "cpk::unsupported::open-variable",
            "cpk::unsupported::platforms",
        ]
    );
}

#[test]
fn variables_of_bases_that_will_be_looked_at_are_no_gap() {
    let text = "cpk 1\nplatform linux/amd64\nimage @base = \"b\"\nstage %app from image @base {\n\
                env prepend PATH \"/venv/bin\"\nfile \"${PATH}/x\" = \"\"\n}\nexport from %app\n";
    let verified = verify(syntax::parse(text).plan).unwrap_or_else(|findings| panic!("{findings:?}"));
    let plan = resolve(verified, &KnownConfigs::new()).unwrap_or_else(|findings| panic!("{findings:?}"));
    let at_hand = BTreeSet::from([InputName::new("base").unwrap()]);
    let backend = |configs| OciDirect { at_hand: at_hand.clone(), configs, ..OciDirect::default() };
    assert!(backend(Configs::ToCome).lower(&plan).is_ok());
    let refused = backend(Configs::Known).lower(&plan).expect_err("they are not known");
    let codes: Vec<_> = refused.iter().map(|unsupported| unsupported.code).collect();
    assert_eq!(codes, ["cpk::unsupported::open-variable", "cpk::unsupported::open-variable"]);
}

/// Files of three letters.
struct Letters;

impl ContentSource for Letters {
    fn open<'s>(&'s self, _: &ContextFile) -> io::Result<Box<dyn Read + 's>> {
        Ok(Box::new(&b"abc"[..]))
    }
}

#[test]
fn names_of_one_file_become_hard_links_again() {
    let mut source = Tree::empty();
    let attributes = Attributes { mode: Mode::FILE, ids: Ids::ROOT };
    for path in ["a", "b", "c"] {
        let node = Node::File { attributes, content: context_file("source", "a", true) };
        source.insert(&components(path.as_bytes()), node).expect("is free");
    }
    let inputs = Inputs { directories: BTreeMap::from([(name("source"), source)]), ..Inputs::default() };
    let image = assembled(&plan("scratch", "copy contents \".\" from @source to \"/d\""), &inputs);
    let image = image.expect("is an image");
    let Some(ImageLayer::Made(layer)) = image.layers().next() else { panic!("has a layer") };
    let packing = Packing { coding: Coding::Gzip { level: 5 }, threads: NonZeroUsize::MIN, place: 0 };
    let (bytes, written) = layer.write(&Letters, 0, packing, Vec::new()).expect("can be written");
    assert_eq!(written.blob.digest, Digest::of(&bytes));
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut plain).expect("is gzip");
    assert_eq!(written.diff_id, Digest::of(&plain));
    assert_eq!(layer.plain_size(&Letters, 0).expect("is listed"), plain.len() as u64);
    // Directory, file, its content, two links, and the end: seven blocks.
    assert_eq!(plain.len(), 7 * 512);
    let flags: Vec<char> = [0, 512, 1536, 2048].map(|at| char::from(plain[at + 156])).to_vec();
    assert_eq!(flags, ['5', '0', '1', '1']);
}

#[test]
fn documents_point_at_each_other() {
    let image = assembled(&plan("@base", "file \"/a\" = \"x\""), &inputs("", "etc/x")).expect("is an image");
    let blob = LayerBlob { blob: Blob { digest: Digest::of(b"l"), size: 1 }, diff_id: Digest::of(b"d") };
    let layer = crate::image::WrittenLayer { media_type: media::LAYER_GZIP, blob };
    let names = ["example.org/me/app:1", "docker.io/library/app:2", "app:2"];
    let names = names.map(|name| name.parse().expect("is a reference"));
    let documents = documents(&[Finished { parts: vec![(&image, &[layer.clone(), layer])], names: &names }]);
    for (path, bytes) in &documents.files {
        if let Some(hex) = path.strip_prefix("blobs/sha256/") {
            assert_eq!(hex, Digest::of(bytes).hex());
        }
    }
    let json = |path: &str| -> serde_json::Value {
        serde_json::from_slice(&documents.files[path]).expect("is JSON")
    };
    let index = json("index.json");
    let top = &index["manifests"][0];
    assert_eq!(top["digest"], documents.digests[0].to_string());
    assert_eq!(top["annotations"]["org.opencontainers.image.ref.name"], "1");
    assert_eq!(top["annotations"]["io.containerd.image.name"], "example.org/me/app:1");
    assert_eq!(index["manifests"].as_array().map(Vec::len), Some(2), "{index}");
    let other = &index["manifests"][1];
    assert_eq!(other["digest"], top["digest"]);
    assert_eq!(other["annotations"]["org.opencontainers.image.ref.name"], "2");
    assert_eq!(other["annotations"]["io.containerd.image.name"], "docker.io/library/app:2");
    let manifest = json(&crate::documents::blob_path(&documents.digests[0]));
    let config_digest: Digest =
        manifest["config"]["digest"].as_str().expect("is text").parse().expect("is one");
    let config = json(&crate::documents::blob_path(&config_digest));
    assert_eq!(config["rootfs"]["diff_ids"].as_array().map(Vec::len), Some(2));
    assert_eq!(config["history"][1]["created_by"], "%app: file \"/a\"");
    assert_eq!(config["created"], "1970-01-01T00:00:00Z");
    let docker = json("manifest.json");
    assert_eq!(docker[0]["RepoTags"], serde_json::json!(["example.org/me/app:1", "docker.io/library/app:2"]));
    assert_eq!(docker[0]["Config"], crate::documents::blob_path(&config_digest));
}

#[test]
fn several_platforms_share_their_layers_below_an_index() {
    let text = plan("scratch", "file \"/a\" = \"x\"").replacen(
        "cpk 1\n",
        "cpk 1\nplatform linux/amd64\nplatform linux/arm64\n",
        1,
    );
    let image = assembled(&text, &inputs("", "")).expect("is an image");
    let blob = LayerBlob { blob: Blob { digest: Digest::of(b"l"), size: 1 }, diff_id: Digest::of(b"d") };
    let layer = crate::image::WrittenLayer { media_type: media::LAYER_GZIP, blob };
    let documents = documents(&[Finished { parts: vec![(&image, &[layer])], names: &[] }]);
    // An index, two manifests, two configs, `index.json` and `oci-layout`.
    assert_eq!(documents.files.len(), 7);
    let index: serde_json::Value =
        serde_json::from_slice(&documents.files[&crate::documents::blob_path(&documents.digests[0])])
            .expect("is JSON");
    let architectures: Vec<_> =
        (0..2).map(|at| index["manifests"][at]["platform"]["architecture"].clone()).collect();
    assert_eq!(architectures, ["amd64", "arm64"]);
}

#[test]
fn several_images_are_named_in_full_and_stand_in_the_order_of_their_names() {
    let image = |file: &str| {
        assembled(&plan("scratch", &format!("file \"/{file}\" = \"x\"")), &inputs("", ""))
            .expect("is an image")
    };
    let (one, other) = (image("one"), image("other"));
    let blob = LayerBlob { blob: Blob { digest: Digest::of(b"l"), size: 1 }, diff_id: Digest::of(b"d") };
    let layers = [crate::image::WrittenLayer { media_type: media::LAYER_GZIP, blob }];
    let names = [vec!["me/b:1"], vec!["me/c:2", "me/a:1"]]
        .map(|names| names.into_iter().map(|name| name.parse().expect("is a reference")).collect::<Vec<_>>());
    let finished = |at: usize, assembly| Finished { parts: vec![(assembly, &layers[..])], names: &names[at] };
    let both = documents(&[finished(0, &one), finished(1, &other)]);
    let turned = documents(&[finished(1, &other), finished(0, &one)]);
    assert_eq!(both.files, turned.files);
    assert_eq!(both.digests, [turned.digests[1], turned.digests[0]]);
    let json =
        |path: &str| -> serde_json::Value { serde_json::from_slice(&both.files[path]).expect("is JSON") };
    let index = json("index.json");
    let entries = index["manifests"].as_array().expect("is a list");
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            let named =
                entry["annotations"]["org.opencontainers.image.ref.name"].as_str().unwrap_or_default();
            assert_eq!(entry["annotations"]["io.containerd.image.name"], named);
            let image = both.digests.iter().position(|digest| entry["digest"] == digest.to_string());
            (named, image)
        })
        .collect();
    let expected =
        [("docker.io/me/b:1", Some(0)), ("docker.io/me/c:2", Some(1)), ("docker.io/me/a:1", Some(1))];
    assert_eq!(told, expected);
    let docker = json("manifest.json");
    assert_eq!(docker[0]["RepoTags"], serde_json::json!(["docker.io/me/b:1"]));
    assert_eq!(docker[1]["RepoTags"], serde_json::json!(["docker.io/me/c:2", "docker.io/me/a:1"]));
}

#[test]
fn platforms_with_layers_of_their_own_are_one_index() {
    let on = |platform: &str| {
        let text = plan("scratch", "file \"/a\" = \"x\"");
        let text = text.replacen("cpk 1\n", &format!("cpk 1\nplatform {platform}\n"), 1);
        assembled(&text, &inputs("", "")).expect("is an image")
    };
    let layer = |name: &[u8]| {
        let blob = LayerBlob { blob: Blob { digest: Digest::of(name), size: 1 }, diff_id: Digest::of(b"d") };
        [crate::image::WrittenLayer { media_type: media::LAYER_GZIP, blob }]
    };
    let (one, other) = (on("linux/amd64"), on("linux/386"));
    let (layers, others) = (layer(b"one"), layer(b"other"));
    let parts: Vec<(&Assembly, &[_])> = vec![(&one, &layers), (&other, &others)];
    let documents = documents(&[Finished { parts, names: &[] }]);
    // Which of the two `docker load` should take, nobody says.
    assert!(!documents.files.contains_key("manifest.json"));
    let json = |digest: &str| -> serde_json::Value {
        let digest = digest.parse().expect("is a digest");
        serde_json::from_slice(&documents.files[&crate::documents::blob_path(&digest)]).expect("is JSON")
    };
    let index = json(&documents.digests[0].to_string());
    let told: Vec<(serde_json::Value, serde_json::Value)> = [0, 1]
        .map(|at| {
            let entry = &index["manifests"][at];
            let manifest = json(entry["digest"].as_str().expect("is text"));
            (entry["platform"]["architecture"].clone(), manifest["layers"][0]["digest"].clone())
        })
        .to_vec();
    let expected = [("amd64", &layers), ("386", &others)]
        .map(|(architecture, layers)| (architecture.into(), layers[0].blob.blob.digest.to_string().into()));
    assert_eq!(told, expected);
}
