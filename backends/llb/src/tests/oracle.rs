//! Byte for byte what another client of BuildKit writes, for all that it can write.

use bollard_llb::{
    CacheSharingMode, FileOpts, Image, Local, MarshalOpts, MergeOpts, NetMode, RunOpts, Shlex, State, copy,
    merge, mkdir, mkfile, rm, scratch,
};

use super::{definition, lower_with};

const UNIQUE: &str = "fixed";

/// What both make of the same thing.
fn assert_same(text: &str, other: &State) {
    let image =
        lower_with(text, |llb| llb.unique = UNIQUE.to_owned()).unwrap_or_else(|gaps| panic!("{gaps:?}"));
    let options = MarshalOpts::linux_amd64().with_local_unique_id(UNIQUE);
    let other = other.marshal(options).unwrap_or_else(|error| panic!("{error}"));
    let ours = definition(&image);
    assert_eq!(ours.def, other.operations(), "{}", crate::listing(&image));
    assert!(other.metadata().keys().eq(ours.metadata.keys()));
    for (digest, metadata) in other.metadata() {
        let missing: Vec<_> =
            metadata.caps.keys().filter(|cap| !ours.metadata[digest].caps.contains_key(*cap)).collect();
        assert!(missing.is_empty(), "{digest} lacks {missing:?}");
    }
}

fn image() -> State {
    Image::new("debian:bookworm").unwrap_or_else(|error| panic!("{error}")).into()
}

fn ok<T>(result: Result<T, bollard_llb::LlbError>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn an_image() {
    assert_same("cpk 1\nimage @base = \"debian:bookworm\" config empty\nexport from image @base", &image());
}

#[test]
fn an_exec_with_environment_directory_network_and_mounts() {
    let options = RunOpts::from(Shlex::from_args(["/bin/sh", "-c", "make all"]))
        .with_env("B", "2")
        .with_net(NetMode::None)
        .with_mount_cache("/cache", "/uv", CacheSharingMode::Locked)
        .with_secret(bollard_llb::AddSecret::new("token").with_target("/run/token"))
        .with_ssh_socket(bollard_llb::AddSshSocket::new().with_target("/run/agent"));
    let exec = image().add_env("A", "1 =").dir("/src").run(options);
    assert_same(
        r#"cpk 1
           image @base = "debian:bookworm" workdir "/src" env A = "1 ="
           secret token
           cache uv
           stage %app from image @base {
             run "make all" {
               mount cache uv at /cache sharing locked
               mount secret token at /run/token
               mount ssh at /run/agent
               env B = "2"
               network none
             }
           }
           export from %app"#,
        &ok(exec.root()),
    );
}

#[test]
fn a_secret_in_a_variable() {
    let secret =
        bollard_llb::AddSecret::new("token").with_as_env(true).with_env_name("TOKEN").with_optional(true);
    let options = RunOpts::from(Shlex::from_args(["make"])).with_secret(secret);
    assert_same(
        r#"cpk 1
           image @base = "debian:bookworm" config empty
           secret token optional
           stage %app from image @base {
             exec ["make"] { mount secret token as env TOKEN }
           }
           export from %app"#,
        &ok(image().run(options).root()),
    );
}

#[test]
fn a_copy_of_a_directory_of_the_client() {
    let source = ok(Local::new("source").and_then(|local| {
        local
            .with_include_patterns(["src/**"])?
            .with_exclude_patterns(["src/**/*.pyc", ".cog"])?
            .with_shared_key_hint("source")
    }));
    let action = copy(source.into(), "/", "/etc/app/")
        .with_create_dest_path(true)
        .with_follow_symlinks(true)
        .with_copy_dir_contents_only(true)
        .with_allow_wildcard(true)
        .with_allow_empty_wildcard(true)
        .with_exclude_pattern("**/*.md");
    assert_same(
        r#"cpk 1
           image @base = "debian:bookworm" config empty
           context @source = dir "." { include "src/**" exclude "src/**/*.pyc" }
           stage %app from image @base {
             copy contents "." from @source to "/etc/app" { exclude "**/*.md" }
           }
           export from %app"#,
        &ok(image().file(action, FileOpts::new())),
    );
}

#[test]
fn files_and_directories() {
    let made = ok(ok(scratch()).file(mkfile("/a.txt", 0o600, "text\n"), FileOpts::new()));
    assert_same(
        r#"cpk 1
           stage %app from scratch { file "/a.txt" mode 0600 = "text\n" }
           export from %app"#,
        &made,
    );
    let made = ok(made.file(mkdir("/d/e", 0o755).with_parents(true), FileOpts::new()));
    let made = ok(made.file(rm("/a.txt"), FileOpts::new()));
    assert_same(
        r#"cpk 1
           stage %app from scratch {
             file "/a.txt" mode 0600 = "text\n"
             mkdir "/d/e"
             remove "/a.txt"
           }
           export from %app"#,
        &made,
    );
}

#[test]
fn an_independent_copy_merged_over_its_base() {
    let source = ok(Local::new("source")
        .and_then(|local| local.with_exclude_patterns([".cog"])?.with_shared_key_hint("source")));
    let action = copy(source.into(), "/", "/srv/app/")
        .with_create_dest_path(true)
        .with_follow_symlinks(true)
        .with_copy_dir_contents_only(true)
        .with_allow_wildcard(true)
        .with_allow_empty_wildcard(true);
    let layer = ok(ok(scratch()).file(action, FileOpts::new()));
    assert_same(
        r#"cpk 1
           image @base = "debian:bookworm" config empty
           context @source = dir "."
           stage %app from image @base { copy contents "." from @source to "/srv/app" }
           export from %app"#,
        &ok(merge([image(), layer], MergeOpts::new())),
    );
}
