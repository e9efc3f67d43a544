//! What network programs have: that of the machine, where the plan asks for it by name and whoever builds
//! allows that, or where it says nothing; and none.

use std::io::Write;
use std::net::TcpListener;

use super::{ARCHIVE, build, built, folder_with, holds};

#[test]
fn programs_reach_this_machine_where_they_may() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let port = listener.local_addr().expect("it has one").port();
    // It waits for nobody after the test, whose process ends then.
    std::thread::spawn(move || {
        for caller in listener.incoming() {
            caller.and_then(|mut caller| caller.write_all(b"by loopback")).expect("somebody calls");
        }
    });
    let program = format!("bash -c 'cat </dev/tcp/127.0.0.1/{port}' >/said || echo nobody >/said");
    let allowed: &[&str] = &["--allow", "network.host"];
    for (network, more, expected) in [
        ("network host", allowed, "by loopback"),
        ("network none", allowed, "nobody\n"),
        ("", &[], "by loopback"),
    ] {
        let folder = folder_with(&format!("  run {program:?} {{\n    {network}\n  }}"));
        let Some(image) = built(folder.path(), more) else { return };
        holds(&image, "said", &format!("file 0644 0:0 `{expected}`"));
    }
    // Nobody is asked before all is allowed.
    let folder = folder_with(&format!("  run {program:?} {{\n    network host\n  }}"));
    let Some(refused) = build(folder.path(), ARCHIVE) else { return };
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    for said in ["cpk::build::not-allowed", "`--allow network.host` allows it", "network host"] {
        assert!(refused.stderr.contains(said), "{said}: {}", refused.stderr);
    }
    assert!(!folder.path().join("app.tar").exists());
}
