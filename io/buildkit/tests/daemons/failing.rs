//! Builds that fail.

use cogpack_io_buildkit::solve::Request;

use crate::definitions::Definition;
use crate::exporting::{built, graph};
use crate::found::{connected, daemons, image_with_a_shell};

#[tokio::test]
async fn a_program_that_fails_is_named_with_its_exit_code() {
    for found in daemons() {
        let connection = connected(&found).await;
        let mut definition = Definition::default();
        let base = definition.source(&image_with_a_shell());
        let failing = definition.shell(&base, "the failing one", "echo going down; exit 7");
        let request = Request {
            graphs: vec![graph(definition.finish(&failing, &[(&failing, 3)]))],
            ..Request::default()
        };
        let (outcome, news) = built(&connection, request).await;
        println!("{}: {outcome:?} {news:#?}", found.name);
    }
}
