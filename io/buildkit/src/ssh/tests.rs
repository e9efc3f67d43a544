//! Agents as a daemon meets them: a real `ssh-agent` behind the service, and real clients of it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use bollard_buildkit_proto::moby::sshforward::v1::ssh_client::SshClient;
use bollard_buildkit_proto::moby::sshforward::v1::{BytesMessage, CheckAgentRequest};
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};

use super::*;

/// Whether this machine has the programs, or why a test is left out.
fn has_openssh() -> bool {
    let found = Command::new("ssh-add").arg("-h").output().is_ok();
    if !found {
        assert!(std::env::var_os("CI").is_none(), "there is no `ssh-add` on this machine");
        eprintln!("skipped: no `ssh-add` on this machine");
    }
    found
}

fn key(directory: &TempDir, name: &str, kind: &[&str], passphrase: &str) -> PathBuf {
    let path = directory.path().join(name);
    let made = Command::new("ssh-keygen")
        .args(["-q", "-C", name, "-N", passphrase, "-f"])
        .arg(&path)
        .args(kind)
        .status()
        .unwrap();
    assert!(made.success());
    path
}

/// Serves the agents as a session does, and gives a client of them.
async fn serve(agents: Agents) -> SshClient<tonic::transport::Channel> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tonic::transport::Server::builder()
        .add_service(agents.into_server())
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(server);
    SshClient::connect(format!("http://{address}")).await.unwrap()
}

/// Does what the daemon does in a step: a socket, every connection of which is forwarded.
async fn mount(client: SshClient<tonic::transport::Channel>, id: &'static str, socket: &Path) {
    let listener = UnixListener::bind(socket).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(forward(client.clone(), id, stream));
        }
    });
}

async fn forward(mut client: SshClient<tonic::transport::Channel>, id: &'static str, stream: UnixStream) {
    let (mut reader, mut writer) = stream.into_split();
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    let mut request = Request::new(ReceiverStream::new(receiver));
    request.metadata_mut().insert(ID_KEY, id.parse().unwrap());
    let mut answers = client.forward_agent(request).await.unwrap().into_inner();
    tokio::spawn(async move {
        let mut buffer = [0; 97];
        while let Ok(count @ 1..) = reader.read(&mut buffer).await {
            let _ = sender.send(BytesMessage { data: buffer[..count].to_vec() }).await;
        }
    });
    while let Some(Ok(answer)) = answers.next().await {
        writer.write_all(&answer.data).await.unwrap();
    }
}

async fn run(program: &str, arguments: &[&str], socket: &Path) -> Output {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).env("SSH_AUTH_SOCK", socket).stdin(std::process::Stdio::null());
    tokio::time::timeout(Duration::from_secs(60), command.output()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_build_lists_and_signs_with_keys_from_files_and_changes_nothing() {
    if !has_openssh() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let keys = [
        key(&directory, "edwards", &["-t", "ed25519"], ""),
        key(&directory, "curve", &["-t", "ecdsa", "-b", "521"], ""),
        key(&directory, "old", &["-t", "rsa", "-b", "2048", "-m", "PEM"], ""),
    ];
    let mut agents = Agents::default();
    agents.add_keys("deploy", &keys).await.unwrap();
    let mounted = directory.path().join("mounted");
    mount(serve(agents).await, "deploy", &mounted).await;

    let listed = run("ssh-add", &["-l"], &mounted).await;
    let listed = String::from_utf8(listed.stdout).unwrap();
    for name in ["edwards", "curve", "old"] {
        assert!(listed.contains(name), "{listed}");
    }
    let text = directory.path().join("text");
    std::fs::write(&text, "what is signed").unwrap();
    for key in &keys {
        let public = key.with_extension("pub");
        let sign = ["-Y", "sign", "-n", "file", "-f", public.to_str().unwrap(), text.to_str().unwrap()];
        // Without the private key's file, only the agent can sign.
        std::fs::remove_file(key).unwrap();
        let signed = run("ssh-keygen", &sign, &mounted).await;
        assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
        std::fs::remove_file(directory.path().join("text.sig")).unwrap();
    }

    let other = key(&directory, "other", &["-t", "ed25519"], "");
    for change in [&["-D"][..], &["-x"], &[other.to_str().unwrap()]] {
        let changed = run("ssh-add", change, &mounted).await;
        assert!(!changed.status.success(), "{change:?} was not refused");
    }
    let after = run("ssh-add", &["-l"], &mounted).await;
    assert_eq!(String::from_utf8(after.stdout).unwrap(), listed);
}

#[tokio::test]
async fn our_agent_ends_with_the_build_and_leaves_nothing() {
    if !has_openssh() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let file = key(&directory, "only", &["-t", "ed25519"], "");
    let agent = OwnAgent::start(&[file]).await.unwrap();
    let socket = agent.socket().to_owned();
    let home = socket.parent().unwrap().to_owned();
    assert_eq!(std::fs::metadata(&home).unwrap().permissions().mode() & 0o777, 0o700);
    let mut open = UnixStream::connect(&socket).await.unwrap();
    drop(agent);
    assert!(!home.exists());
    // The agent held this connection; that it is closed means that the agent is gone.
    let mut byte = [0];
    let end = tokio::time::timeout(Duration::from_secs(60), open.read(&mut byte)).await.unwrap();
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
}

#[tokio::test]
async fn a_running_agent_is_forwarded_and_each_id_has_its_own() {
    if !has_openssh() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let theirs = OwnAgent::start(&[key(&directory, "theirs", &["-t", "ed25519"], "")]).await.unwrap();
    let mut agents = Agents::default();
    agents.add_socket(DEFAULT_ID, theirs.socket()).await.unwrap();
    agents.add_keys("deploy", &[key(&directory, "ours", &["-t", "ed25519"], "")]).await.unwrap();
    let twice = agents.add_keys("deploy", &[]).await.unwrap_err();
    assert_eq!(twice.to_string(), "the SSH agent `deploy` is given twice");

    let mut client = serve(agents).await;
    for id in ["", "default", "deploy"] {
        client.check_agent(CheckAgentRequest { id: id.to_owned() }).await.unwrap();
    }
    let status = client.check_agent(CheckAgentRequest { id: "other".to_owned() }).await.unwrap_err();
    assert_eq!(status.message(), "the SSH agent `other` is not given");
    for (id, name) in [("default", "theirs"), ("deploy", "ours")] {
        let mounted = directory.path().join(id);
        mount(client.clone(), id, &mounted).await;
        let listed = String::from_utf8(run("ssh-add", &["-l"], &mounted).await.stdout).unwrap();
        assert!(listed.contains(name) && listed.lines().count() == 1, "{listed}");
    }
}

#[tokio::test]
async fn keys_and_sockets_that_cannot_be_used_are_told_before_the_build() {
    let directory = tempfile::tempdir().unwrap();
    let mut agents = Agents::default();
    let nobody = agents.add_socket(DEFAULT_ID, &directory.path().join("none")).await.unwrap_err();
    assert!(nobody.to_string().starts_with("reach the SSH agent at `"), "{nobody}");
    if !has_openssh() {
        return;
    }
    let locked = key(&directory, "locked", &["-t", "ed25519"], "passphrase");
    let text = directory.path().join("text");
    std::fs::write(&text, "no key").unwrap();
    std::fs::set_permissions(&text, std::fs::Permissions::from_mode(0o600)).unwrap();
    for file in [locked, text, directory.path().join("missing")] {
        let error = agents.add_keys("deploy", std::slice::from_ref(&file)).await.unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with(&format!("use `{}` as an SSH key: ", file.display())), "{message}");
        assert!(error.help().is_some());
        assert!(!agents.contains("deploy"));
        eprintln!("{message}");
    }
}
