//! Builds that fail.

use cogpack_io_buildkit::failure::{Failure, GuiltyLines};
use cogpack_io_buildkit::solve::{Graph, Request};

use crate::building::{built, exporter, graph_for, name_of, one_file, printed, script};
use crate::definitions::Definition;
use crate::found::{connected, daemons};

#[tokio::test]
async fn a_program_that_fails_is_named_with_its_exit_code() {
    for found in daemons() {
        let connection = connected(&found).await;
        let (outcome, news) = built(&connection, script("echo going down; exit 7")).await;
        let Err(Failure::Build(failure)) = outcome else { panic!("{}: {outcome:?}", found.name) };
        let vertex = failure.vertex.as_deref().and_then(|digest| name_of(&news, digest));
        assert_eq!(vertex.as_deref(), Some("the script"), "{}: {failure:?}", found.name);
        assert_eq!(failure.exit_code, Some(7), "{}", found.name);
        assert!(failure.message.contains("exit code: 7"), "{}: {failure}", found.name);
        assert_eq!(printed(&news), "going down\n", "{}", found.name);
        // Older daemons keep nothing of the source.
        let lines = [GuiltyLines { file: "plan.cpk".to_owned(), ranges: vec![(3, 3)] }];
        assert_eq!(failure.lines, if found.newer { &lines[..] } else { &[] }, "{}", found.name);
    }
}

#[tokio::test]
async fn the_guilty_one_is_named_among_several_graphs() {
    for found in daemons() {
        let connection = connected(&found).await;
        let mut request = script("sleep 0.5; exit 3");
        request.graphs.push(one_file("innocent").graphs.remove(0));
        request.graphs[1].platform = "linux/386".parse().unwrap();
        let (outcome, news) = built(&connection, request).await;
        let Err(Failure::Build(failure)) = outcome else { panic!("{}: {outcome:?}", found.name) };
        let vertex = failure.vertex.as_deref().and_then(|digest| name_of(&news, digest));
        assert_eq!((vertex.as_deref(), failure.exit_code), (Some("the script"), Some(3)), "{}", found.name);
    }
}

#[tokio::test]
async fn an_image_that_is_not_there_is_told() {
    for found in daemons() {
        let connection = connected(&found).await;
        let mut definition = Definition::default();
        let source = definition.source("docker-image://127.0.0.1:1/of/nobody:latest");
        let graphs = vec![graph_for("linux/amd64", definition.finish(&source, &[]))];
        let (outcome, _) = built(&connection, Request { graphs, ..Request::default() }).await;
        let Err(Failure::Build(failure)) = outcome else { panic!("{}: {outcome:?}", found.name) };
        assert!(failure.message.contains("127.0.0.1:1"), "{}: {failure}", found.name);
        assert!(failure.vertex.is_some(), "{}: {failure:?}", found.name);
    }
}

#[tokio::test]
async fn an_exporter_that_the_daemon_has_not_is_refused() {
    for found in daemons() {
        let connection = connected(&found).await;
        let mut request = one_file("refused");
        request.exporters = vec![exporter("carrier-pigeon", &[])];
        let (outcome, _) = built(&connection, request).await;
        let Err(Failure::Refused { message, .. }) = outcome else { panic!("{}: {outcome:?}", found.name) };
        assert!(message.contains("carrier-pigeon"), "{}: {message}", found.name);
    }
}

#[tokio::test]
async fn a_daemon_that_runs_one_exporter_is_not_asked_for_two() {
    for found in daemons() {
        let connection = connected(&found).await;
        let mut request = one_file("twice");
        let tags = ["one", "other"].map(|purpose| found.own_name(purpose));
        request.exporters = tags.iter().map(|tag| exporter("moby", &[("name", tag)])).collect();
        let (outcome, _) = built(&connection, request).await;
        if found.newer {
            outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
            found.docker(&["image", "rm", &tags[0], &tags[1]]);
        } else {
            let failure = outcome.unwrap_err();
            assert!(matches!(failure, Failure::Refused { .. }), "{}: {failure:?}", found.name);
            assert!(failure.to_string().contains("one exporter at a time"), "{}: {failure}", found.name);
        }
    }
}

#[tokio::test]
async fn what_can_be_sent_to_nobody_is_not_sent() {
    for found in daemons() {
        let connection = connected(&found).await;
        let (outcome, _) = built(&connection, Request::default()).await;
        assert!(matches!(outcome, Err(Failure::Unsendable { .. })), "{outcome:?}");
        let broken = Graph { definition: vec![0xff], ..one_file("").graphs.remove(0) };
        let (outcome, _) = built(&connection, Request { graphs: vec![broken], ..Request::default() }).await;
        assert!(matches!(outcome, Err(Failure::Unsendable { .. })), "{outcome:?}");
    }
}
