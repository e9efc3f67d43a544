//! Predictions as servers answer them, without a socket.

use serde_json::json;

use super::*;

const PLAIN: Event<'static> = Event::Head { status: 200, is_stream: false };

fn answered(status: u16, body: &str) -> Outcome {
    let mut prediction = Prediction::new(false);
    assert_eq!(prediction.on(Event::Begin), [Action::Ask { in_pieces: false }]);
    assert_eq!(prediction.on(Event::Head { status, is_stream: false }), []);
    let (one, two) = body.as_bytes().split_at(body.len() / 2);
    assert_eq!(prediction.on(Event::Piece(one)), []);
    assert_eq!(prediction.on(Event::Piece(two)), []);
    let [Action::Done(outcome)] = &prediction.on(Event::End)[..] else { panic!("is not over") };
    assert_eq!(prediction.on(Event::Interrupted), [], "nothing happens afterwards");
    outcome.clone()
}

#[test]
fn an_answer_is_read_as_a_whole() {
    let body =
        r#"{"id":"p","logs":"log 0\n","metrics":{"predict_time":0.9},"output":["a"],"status":"succeeded"}"#;
    let expected = Answer {
        status: "succeeded".to_owned(),
        output: json!(["a"]),
        error: None,
        logs: "log 0\n".to_owned(),
        metrics: [("predict_time".to_owned(), json!(0.9))].into_iter().collect(),
    };
    assert_eq!(answered(200, body), Outcome::Answered(expected));
    let Outcome::Answered(failed) = answered(200, r#"{"status":"failed","error":"no good"}"#) else {
        panic!("is an answer")
    };
    assert_eq!((failed.error.as_deref(), failed.output), (Some("no good"), Value::Null));
    assert_eq!(answered(200, r#"{"id":"p","status":"canceled"}"#), Outcome::Cancelled);
}

#[test]
fn refusals_are_told_apart() {
    let body = r#"{"detail":[{"loc":["body","input","n"],"msg":"\"x\" is no integer","type":"value_error"},{"loc":["body","input","s"],"msg":"Field required"},{"msg":"odd"}]}"#;
    let problems = ["`n`: \"x\" is no integer", "`s`: Field required", "odd"].map(str::to_owned);
    assert_eq!(answered(422, body), Outcome::Inputs(problems.to_vec()));
    let busy = Outcome::Refused { status: 409, message: "At capacity".to_owned() };
    assert_eq!(answered(409, r#"{"error":"At capacity","status":"failed"}"#), busy);
    let lost = Outcome::Refused { status: 500, message: "nothing".to_owned() };
    assert_eq!(answered(500, ""), lost);
    for none in ["", "[]", "<html>", r#"{"status":"processing"}"#] {
        assert!(matches!(answered(200, none), Outcome::Broken(_)), "{none}");
    }
}

#[test]
fn output_in_pieces_is_shown_as_it_comes() {
    let mut prediction = Prediction::new(true);
    assert_eq!(prediction.on(Event::Begin), [Action::Ask { in_pieces: true }]);
    assert_eq!(prediction.on(Event::Head { status: 200, is_stream: true }), []);
    let text = "event: start\ndata: {\"id\":\"p\",\"status\":\"processing\"}\n\n\
                event: log\ndata: {\"data\":\"log 0\\n\",\"source\":\"stdout\"}\n\n\
                event: output\ndata: {\"chunk\":\"a0\",\"index\":0}\n\nevent: outp";
    assert_eq!(prediction.on(Event::Piece(text.as_bytes())), [Action::Show(json!("a0"))]);
    let text = "ut\ndata: {\"chunk\":{\"b\":1},\"index\":1}\n\n\
                event: completed\ndata: {\"output\":[\"a0\",{\"b\":1}],\"status\":\"succeeded\"}\n\n";
    let actions = prediction.on(Event::Piece(text.as_bytes()));
    assert_eq!(actions[0], Action::Show(json!({"b": 1})));
    assert!(matches!(&actions[1..], [Action::Done(Outcome::Answered(_))]), "{actions:?}");
    assert_eq!(prediction.on(Event::End), []);
}

#[test]
fn a_server_that_streams_nothing_is_asked_plainly() {
    let mut prediction = Prediction::new(true);
    prediction.on(Event::Begin);
    let refused = Event::Head { status: 406, is_stream: false };
    assert_eq!(prediction.on(refused.clone()), [Action::Ask { in_pieces: false }]);
    assert_eq!(prediction.on(PLAIN), []);
    // Where nothing was asked of the kind, it is a refusal as others are.
    let mut prediction = Prediction::new(false);
    prediction.on(Event::Begin);
    assert_eq!(prediction.on(refused), []);
    let actions = prediction.on(Event::End);
    assert!(matches!(&actions[..], [Action::Done(Outcome::Refused { status: 406, .. })]), "{actions:?}");
}

#[test]
fn a_prediction_is_cancelled_once_and_then_abandoned() {
    let mut prediction = Prediction::new(false);
    prediction.on(Event::Begin);
    assert_eq!(prediction.on(Event::Interrupted), [Action::Cancel]);
    prediction.on(PLAIN);
    prediction.on(Event::Piece(br#"{"status":"canceled"}"#));
    assert_eq!(prediction.on(Event::End), [Action::Done(Outcome::Cancelled)]);
    for impatient in [Event::Interrupted, Event::NoPatience] {
        let mut prediction = Prediction::new(false);
        prediction.on(Event::Begin);
        prediction.on(Event::Interrupted);
        assert_eq!(prediction.on(impatient), [Action::Done(Outcome::Abandoned)]);
    }
    let mut prediction = Prediction::new(false);
    prediction.on(Event::Begin);
    prediction.on(Event::Interrupted);
    assert_eq!(prediction.on(Event::Broken("reset".to_owned())), [Action::Done(Outcome::Cancelled)]);
}

#[test]
fn an_answer_that_ends_in_the_middle_is_none() {
    for is_stream in [true, false] {
        let mut prediction = Prediction::new(is_stream);
        prediction.on(Event::Begin);
        prediction.on(Event::Head { status: 200, is_stream });
        prediction.on(Event::Piece(b"event: output\ndata: "));
        let actions = prediction.on(Event::End);
        assert!(matches!(&actions[..], [Action::Done(Outcome::Broken(_))]), "{actions:?}");
    }
}
