//! Contexts that are sets of packages.

use super::*;

#[test]
fn packages_lie_beside_as_they_were_installed() {
    let text = format!(
        r#"cpk 1 platform linux/amd64
        context @system = debs {{ deb "a_1_all.deb" {{ hash sha256:{hash} }} }}
        context @none = debs
        context @wheels = wheels {{ python "3.11" wheel "a-1-py3-none-any.whl" {{ hash sha256:{hash} }} }}
        stage %app from @system {{
          copy contents "." from @wheels to "/usr"
          copy "etc/key" from @system to "/key"
          copy "bin/*" from @system into "/bin"
          copy contents "." from @none to "/none"
          env PATH = "/bin"
          run "true" {{ mount @system at /mnt select "etc" }}
        }}
        export from %app {{}}"#,
        hash = "0".repeat(64)
    );
    let artifact = lower_for(SMALLEST, &text).unwrap_or_else(|gaps| panic!("{gaps:?}"));
    let expected = r#"# context @system
FROM scratch AS system
ADD packages/system.tar /

# stage %app
FROM system AS app
COPY --link contexts/wheels/ /usr/
COPY --link --from=system --chown=0:0 /etc/key /key
COPY copies/app/bin/ /bin/
COPY --link contexts/none/ /none/
ENV PATH="/bin"
RUN --mount=type=bind,from=system,source=/etc,target=/mnt \
    true
"#;
    assert_eq!(stages(&artifact.dockerfile), expected);
    let kinds: Vec<String> = artifact
        .beside
        .iter()
        .map(|(path, beside)| match beside {
            Beside::Archive { taken, .. } => {
                format!("{path} {:?}", taken.never_links.keys().collect::<Vec<_>>())
            }
            Beside::Context { .. } => format!("{path} a folder"),
            Beside::Copied { .. } => format!("{path} a copy"),
            Beside::File { .. } | Beside::Directory { .. } | Beside::Symlink { .. } => path.clone(),
        })
        .collect();
    let listed = [
        "contexts/none a folder",
        "contexts/wheels a folder",
        "copies/app/bin a copy",
        "packages/system.tar [\"etc/key\"]",
    ];
    assert_eq!(kinds, listed);
    let notes: Vec<&str> = artifact.notes.iter().map(|note| note.what.as_str()).collect();
    assert_eq!(notes.len(), 3, "{notes:?}");
    // A link in a set is seen where its files are known, so that no program of the set has to look.
    let buildah =
        lower_for(Dialect::Buildah, &text.replace("run ", "# ")).unwrap_or_else(|gaps| panic!("{gaps:?}"));
    assert!(!buildah.dockerfile.contains("RUN"), "{}", buildah.dockerfile);
}

#[test]
fn programs_that_are_called_are_asked_of_the_packages() {
    let needed = |ops: &str| {
        let text = format!(
            "cpk 1\nplatform linux/amd64\ncontext @src = dir \".\"\n\
             context @system = debs {{ deb \"a_1_all.deb\" {{ hash sha256:{} }} }}\n\
             stage %app from @system {{ env PATH = \"/bin\" {ops} }}\n\
             stage %next from %app {{ remove \"/etc/b\" }}\nexport from %next",
            "0".repeat(64)
        );
        let artifact = lower_for(Dialect::Legacy, &text).unwrap_or_else(|gaps| panic!("{gaps:?}"));
        let programs = artifact.needed.values().flat_map(|programs| programs.keys().copied());
        programs.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(needed(""), "/bin/rm");
    assert_eq!(needed("mkdir \"/a\" owner 5:6"), "/bin/chown /bin/mkdir /bin/rm /bin/sh");
    assert_eq!(needed("mkdir \"/a\" mode 0700"), "/bin/rm /usr/bin/install");
    let mount = "run \"x\" { mount tmpfs at \"/t\" }";
    // What has run may have brought some.
    assert_eq!(needed(mount), "/bin/mkdir /bin/mv /bin/rm /bin/rmdir /bin/sh");
    assert_eq!(needed("run \"x\""), "");
    // So may what is copied to where they are, and nothing else.
    assert_eq!(needed("copy contents \"bin\" from @src to \"/usr/bin\""), "");
    assert_eq!(needed("copy contents \"bin\" from @src to \"/srv\""), "/bin/rm");
}
