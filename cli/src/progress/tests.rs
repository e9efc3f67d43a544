//! Renderers are fed events, and what a terminal then shows is compared.

use std::time::Duration;

use cogpack_build::outcome::{Layer, Outcome};
use cogpack_build::progress::{Amount, Outline, Progress, Role, StepId, StepOutline, Stream, Warning};
use cogpack_content::Digest;
use cogpack_ir::plan::{InputName, PhaseName};

use super::board::Board;
use super::palette::Palette;
use super::summary::{Look, summary};
use super::text::width;
use super::{Show, Style, Window};

const PLAIN: Palette = Palette { coloured: false };
const STANDARD: Window = Window { columns: 64, rows: 16 };

fn at(seconds: u64) -> Duration {
    Duration::from_millis(seconds * 1000 + 250)
}

fn step(phase: &str, stage: &str, line: u32, name: &str) -> StepOutline {
    StepOutline {
        phase: Some(PhaseName::new(phase).expect("is a name")),
        place: Some(format!("%{stage}")),
        line: Some(line),
        platform: None,
        name: name.to_owned(),
        role: Role::Work,
    }
}

fn planned() -> Progress {
    Progress::Planned(Outline {
        phases: ["build.base", "build.deps", "export.app"]
            .map(|phase| PhaseName::new(phase).expect("is a name"))
            .to_vec(),
        steps: vec![
            step("build.base", "base", 3, "image docker.io/library/debian:bookworm-slim"),
            step("build.deps", "venv", 5, "run uv venv /venv --python 3.12"),
            step("build.deps", "venv", 6, "run uv pip install -r requirements.txt"),
            step("export.app", "app", 12, "copy \"/venv\" from %venv to \"/venv\""),
        ],
    })
}

fn output(step: usize, text: &str) -> Progress {
    Progress::Output { step: StepId(step), stream: Stream::Output, bytes: text.as_bytes().to_vec() }
}

fn sent(files: u64, bytes: u64, complete: bool) -> Progress {
    let context = InputName::new("source").expect("is a name");
    Progress::Sent { context, entries: 1300, files, bytes, complete }
}

/// A build half way.
fn half_way() -> Vec<(u64, Progress)> {
    vec![
        (0, planned()),
        (0, Progress::Started(StepId(0))),
        (0, sent(120, 1_200_000, false)),
        (1, Progress::Cached(StepId(0))),
        (1, Progress::Started(StepId(1))),
        (2, output(1, "Creating virtual environment at: /venv\n")),
        (3, Progress::Finished { step: StepId(1), took: Duration::from_millis(2100) }),
        (3, Progress::Started(StepId(2))),
        (
            4,
            output(
                2,
                "Resolved 12 packages\n\u{1b}[2K\u{1b}[1mDownloading\u{1b}[0m torch (732 MB)\n 日本語の行\n",
            ),
        ),
        (4, output(2, "10%\r20%")),
    ]
}

fn rest() -> Vec<(u64, Progress)> {
    let moved = |amount, complete| Progress::Moved {
        step: StepId(4),
        item: "exporting layers".to_owned(),
        amount,
        complete,
    };
    vec![
        (9, sent(1240, 12_400_000, true)),
        (10, Progress::Finished { step: StepId(2), took: Duration::from_millis(7300) }),
        (10, Progress::Started(StepId(3))),
        (11, Progress::Finished { step: StepId(3), took: Duration::from_millis(400) }),
        (11, Progress::Added { name: "exporting to image".to_owned() }),
        (11, Progress::Started(StepId(4))),
        (11, moved(Amount { done: 5_000_000, total: Some(20_000_000) }, false)),
        (12, moved(Amount { done: 20_000_000, total: Some(20_000_000) }, true)),
        (12, Progress::Finished { step: StepId(4), took: Duration::from_millis(900) }),
        (
            12,
            Progress::Warned(Warning {
                message: "the base is for another platform".to_owned(),
                details: vec!["it will be slow".to_owned()],
                step: None,
            }),
        ),
        (12, Progress::Done(outcome())),
    ]
}

fn outcome() -> Outcome {
    Outcome {
        digest: Some(Digest::of(b"image")),
        config_digest: Some(Digest::of(b"config")),
        names: vec!["docker.io/library/app:latest".to_owned()],
        places: vec!["the engine at unix:///var/run/docker.sock".to_owned()],
        layers: vec![
            Layer {
                digest: Some(Digest::of(b"base")),
                size: 74_800_000,
                compressed: true,
                made_by: Some("image docker.io/library/debian:bookworm-slim".to_owned()),
                platform: None,
            },
            Layer {
                digest: Some(Digest::of(b"app")),
                size: 1_234_000,
                compressed: true,
                made_by: Some("copy \"/venv\" from %venv to \"/venv\"".to_owned()),
                platform: None,
            },
        ],
        answers: Default::default(),
    }
}

/// Feeds events, and gives what was written.
fn written(style: Style, events: &[(u64, Progress)]) -> String {
    let mut show = Show::new(style, "app", PLAIN);
    let mut out = Vec::new();
    for (second, progress) in events {
        show.take(progress, at(*second), &mut out);
    }
    String::from_utf8(out).expect("renderers write text")
}

/// A terminal in which a build is painted after every event.
struct Terminal {
    show: Show,
    screen: vt100::Parser,
    window: Window,
    now: Duration,
}

impl Terminal {
    fn new(window: Window, palette: Palette) -> Self {
        let size = |length: usize| u16::try_from(length).expect("a window is small");
        let mut screen = vt100::Parser::new(size(window.rows), size(window.columns), 1000);
        screen.process(b"$ cogpackc build\r\n");
        Self { show: Show::new(Style::Tty, "app", palette), screen, window, now: Duration::ZERO }
    }

    fn play(&mut self, events: &[(u64, Progress)]) {
        for (second, progress) in events {
            let mut out = Vec::new();
            self.now = at(*second);
            self.show.take(progress, self.now, &mut out);
            self.show.paint(self.now, self.window, &mut out);
            self.screen.process(&out);
        }
    }

    fn resize(&mut self, window: Window) {
        let size = |length: usize| u16::try_from(length).expect("a window is small");
        self.screen.screen_mut().set_size(size(window.rows), size(window.columns));
        self.window = window;
        let mut out = Vec::new();
        self.show.paint(self.now, window, &mut out);
        self.screen.process(&out);
    }

    fn clear(&mut self) {
        let mut out = Vec::new();
        self.show.clear(self.window, &mut out);
        self.screen.process(&out);
    }

    fn shown(&self) -> String {
        self.screen.screen().contents()
    }
}

#[test]
fn a_terminal_shows_what_runs() {
    let mut terminal = Terminal::new(STANDARD, PLAIN);
    terminal.play(&half_way());
    insta::assert_snapshot!(terminal.shown(), @r#"
    $ cogpackc build
    building app                           2/4 done, 1 cached  4.2s
    ✓ build.base                                             cached
    build.deps                                                  1/2
      ▸ %venv run uv pip install -r requirements.txt           1.0s
        │ Resolved 12 packages
        │ Downloading torch (732 MB)
        │  日本語の行
        │ 20%
    sending @source                               120 files, 1.2 MB
    "#);
    terminal.play(&rest()[..7]);
    insta::assert_snapshot!(terminal.shown(), @r#"
    $ cogpackc build
    building app                          4/4 done, 1 cached  11.2s
    ✓ build.base                                             cached
    ✓ build.deps                                            2 steps
    ✓ export.app                                             1 step
    ▸ exporting to image                     5.0 MB / 20.0 MB  0.0s
    "#);
    terminal.clear();
    assert_eq!(terminal.shown(), "$ cogpackc build");
}

#[test]
fn a_narrow_terminal_shows_the_same_in_less_room() {
    let mut terminal = Terminal::new(Window { columns: 30, rows: 16 }, PLAIN);
    terminal.play(&half_way());
    insta::assert_snapshot!(terminal.shown(), @r#"
    $ cogpackc build
    building app
    ✓ build.base           cached
    build.deps                1/2
      ▸ %venv run uv pip in… 1.0s
        │ Resolved 12 packages
        │ Downloading torch (732…
        │  日本語の行
        │ 20%
    sending @s… 120 files, 1.2 MB
    "#);
}

#[test]
fn a_low_terminal_shows_what_is_missed_most() {
    let shown = |rows| {
        let mut terminal = Terminal::new(Window { columns: 64, rows }, PLAIN);
        terminal.play(&half_way());
        terminal.shown()
    };
    insta::assert_snapshot!(shown(3), @r#"
    building app                           2/4 done, 1 cached  4.2s
      ▸ %venv run uv pip install -r requirements.txt           1.0s
    "#);
    insta::assert_snapshot!(shown(5), @r#"
    building app                           2/4 done, 1 cached  4.2s
    build.deps                                                  1/2
      ▸ %venv run uv pip install -r requirements.txt           1.0s
    sending @source                               120 files, 1.2 MB
    "#);
    insta::assert_snapshot!(shown(7), @r#"
    building app                           2/4 done, 1 cached  4.2s
    build.deps                                                  1/2
      ▸ %venv run uv pip install -r requirements.txt           1.0s
        │  日本語の行
        │ 20%
    sending @source                               120 files, 1.2 MB
    "#);
}

#[test]
fn no_window_is_too_small_and_no_picture_too_large() {
    for rows in 0..12 {
        for columns in 0..40 {
            let window = Window { columns, rows };
            let mut show = Show::new(Style::Tty, "app", PLAIN);
            for (second, progress) in [half_way(), rest()].concat() {
                show.take(&progress, at(second), &mut Vec::new());
                show.paint(at(second), window, &mut Vec::new());
                let picture = super::frame::frame("app", &show.board, at(second), window);
                assert!(picture.len() < rows.max(1), "{} lines in {window:?}", picture.len());
                let fits = |line: &super::frame::Line| width(&line.text) < columns.max(1);
                assert!(picture.iter().all(fits), "{picture:?}");
            }
        }
    }
}

#[test]
fn a_window_that_grows_shows_the_same() {
    let mut terminal = Terminal::new(STANDARD, PLAIN);
    terminal.play(&half_way());
    for window in [Window { columns: 100, rows: 16 }, Window { columns: 100, rows: 30 }] {
        terminal.resize(window);
        let shown = terminal.shown();
        assert!(shown.starts_with("$ cogpackc build\nbuilding app"), "{shown}");
        assert_eq!(shown.lines().count(), 10, "{shown}");
    }
    terminal.clear();
    assert_eq!(terminal.shown(), "$ cogpackc build");
}

/// A terminal may break the lines of a window that became narrower, or cut them. The picture
/// must be there once in both: this one cuts, and then loses at most what stood above.
#[test]
fn a_window_that_shrinks_shows_no_line_twice() {
    let mut terminal = Terminal::new(Window { columns: 100, rows: 30 }, PLAIN);
    terminal.play(&half_way());
    for window in [Window { columns: 64, rows: 30 }, Window { columns: 30, rows: 12 }] {
        terminal.resize(window);
        let shown = terminal.shown();
        assert_eq!(shown.matches("building app").count(), 1, "{shown}");
        assert_eq!(shown.matches("sending @s").count(), 1, "{shown}");
    }
    terminal.clear();
    assert!(!terminal.shown().contains("building"), "{}", terminal.shown());
}

#[test]
fn colours_are_only_where_they_are_wanted() {
    let escapes = |palette| {
        let mut show = Show::new(Style::Tty, "app", palette);
        let mut out = Vec::new();
        half_way().iter().for_each(|(second, progress)| show.take(progress, at(*second), &mut out));
        show.paint(at(5), STANDARD, &mut out);
        let text = String::from_utf8(out).expect("is text");
        text.matches("\u{1b}[1m").count()
    };
    assert_eq!(escapes(PLAIN), 0);
    assert!(escapes(Palette { coloured: true }) > 0);
}

#[test]
fn logs_tell_everything_in_order() {
    insta::assert_snapshot!(written(Style::Plain, &[half_way(), rest()].concat()), @r#"
    plan: 4 steps in 3 phases
    #1 build.base %base image docker.io/library/debian:bookworm-slim  (line 3)
    #1 cached
    #2 build.deps %venv run uv venv /venv --python 3.12  (line 5)
    #2 1.0s | Creating virtual environment at: /venv
    #2 done in 2.1s
    #3 build.deps %venv run uv pip install -r requirements.txt  (line 6)
    #3 1.0s | Resolved 12 packages
    #3 1.0s | Downloading torch (732 MB)
    #3 1.0s |  日本語の行
    @source: sent 1,240 files, 12.4 MB
    #3 7.3s | 20%
    #3 done in 7.3s
    #4 export.app %app copy "/venv" from %venv to "/venv"  (line 12)
    #4 done in 0.4s
    #5 exporting to image
    #5 exporting layers 20.0 MB, 15.0 MB/s
    #5 done in 0.9s
    warning: the base is for another platform
      it will be slow
    "#);
}

#[test]
fn programs_read_one_object_a_line() {
    let text = written(Style::Json, &[half_way(), rest()].concat());
    for line in text.lines() {
        let object: serde_json::Value = serde_json::from_str(line).expect("each line is an object");
        assert!(object["at"].is_number() && object["event"].is_string(), "{line}");
    }
    insta::assert_snapshot!(text, @r#"
    {"at":250,"event":"planned","version":1,"phases":["build.base","build.deps","export.app"],"steps":[{"phase":"build.base","place":"%base","line":3,"name":"image docker.io/library/debian:bookworm-slim"},{"phase":"build.deps","place":"%venv","line":5,"name":"run uv venv /venv --python 3.12"},{"phase":"build.deps","place":"%venv","line":6,"name":"run uv pip install -r requirements.txt"},{"phase":"export.app","place":"%app","line":12,"name":"copy \"/venv\" from %venv to \"/venv\""}]}
    {"at":250,"event":"started","step":0}
    {"at":250,"event":"sent","context":"source","entries":1300,"files":120,"bytes":1200000,"complete":false}
    {"at":1250,"event":"cached","step":0}
    {"at":1250,"event":"started","step":1}
    {"at":2250,"event":"output","step":1,"stream":"stdout","line":"Creating virtual environment at: /venv"}
    {"at":3250,"event":"finished","step":1,"milliseconds":2100}
    {"at":3250,"event":"started","step":2}
    {"at":4250,"event":"output","step":2,"stream":"stdout","line":"Resolved 12 packages"}
    {"at":4250,"event":"output","step":2,"stream":"stdout","line":"Downloading torch (732 MB)"}
    {"at":4250,"event":"output","step":2,"stream":"stdout","line":" 日本語の行"}
    {"at":9250,"event":"sent","context":"source","entries":1300,"files":1240,"bytes":12400000,"complete":true}
    {"at":10250,"event":"output","step":2,"stream":"stdout","line":"20%"}
    {"at":10250,"event":"finished","step":2,"milliseconds":7300}
    {"at":10250,"event":"started","step":3}
    {"at":11250,"event":"finished","step":3,"milliseconds":400}
    {"at":11250,"event":"added","step":4,"name":"exporting to image"}
    {"at":11250,"event":"started","step":4}
    {"at":11250,"event":"moved","step":4,"item":"exporting layers","bytes":5000000,"total":20000000,"complete":false}
    {"at":12250,"event":"moved","step":4,"item":"exporting layers","bytes":20000000,"total":20000000,"complete":true}
    {"at":12250,"event":"finished","step":4,"milliseconds":900}
    {"at":12250,"event":"warned","message":"the base is for another platform","details":["it will be slow"]}
    {"at":12250,"event":"done","image":{"digest":"sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d","config_digest":"sha256:b79606fb3afea5bd1609ed40b622142f1c98125abcfe89a76a661b0e8e343910","names":["docker.io/library/app:latest"],"places":["the engine at unix:///var/run/docker.sock"],"layers":[{"digest":"sha256:cae662172fd450bb0cd710a769079c05bfc5d8e35efa6576edc7d0377afdd4a2","size":74800000,"compressed":true,"made_by":"image docker.io/library/debian:bookworm-slim"},{"digest":"sha256:a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333","size":1234000,"compressed":true,"made_by":"copy \"/venv\" from %venv to \"/venv\""}]}}
    "#);
}

/// The page that describes the format names every event and every key of it.
#[test]
fn the_json_form_is_described() {
    let page = include_str!("../../../docs/progress.md");
    let failed = Progress::Failed { step: StepId(1), message: "exit code 1".to_owned() };
    let events = [half_way(), rest(), vec![(1, failed), (1, Progress::Cancelled(StepId(2)))]].concat();
    let text = written(Style::Json, &events);
    for line in text.lines() {
        let object: serde_json::Value = serde_json::from_str(line).expect("each line is an object");
        let event = object["event"].as_str().expect("is named");
        let row = page.lines().find(|row| row.starts_with(&format!("| `{event}` |")));
        let row = row.unwrap_or_else(|| panic!("docs/progress.md does not tell of `{event}`"));
        for key in object.as_object().expect("is an object").keys() {
            let is_told = ["at", "event"].contains(&key.as_str()) || row.contains(&format!("`{key}`"));
            assert!(is_told, "docs/progress.md does not tell of `{key}` of `{event}`");
        }
    }
}

#[test]
fn quiet_says_nothing() {
    assert_eq!(written(Style::Quiet, &[half_way(), rest()].concat()), "");
}

#[test]
fn the_summary_says_what_ran_and_how_large_it_is() {
    let mut show = Show::new(Style::Quiet, "app", PLAIN);
    for (second, progress) in [half_way(), rest()].concat() {
        show.take(&progress, at(second), &mut Vec::new());
    }
    let text = |columns| {
        let look = Look { columns, palette: PLAIN };
        summary(&show.board, &outcome(), Duration::from_millis(12_340), look)
    };
    insta::assert_snapshot!(text(72), @r#"
    build.base
      %base image docker.io/library/debian:bookworm-slim              cached
    build.deps
      %venv run uv venv /venv --python 3.12                             2.1s
      %venv run uv pip install -r requirements.txt                      7.3s
    export.app
      %app copy "/venv" from %venv to "/venv"                           0.4s
    exporting to image                                                  0.9s
    layers
      cae662172fd4  image docker.io/library/debian:bookworm-slim     74.8 MB
      a172cedcae47  copy "/venv" from %venv to "/venv"                1.2 MB
      2 layers in all, compressed                                    76.0 MB
    warning: the base is for another platform
      it will be slow
    built in 12.3s: 3 steps ran, 1 cached, 1,240 files sent (12.4 MB)
      sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d
      docker.io/library/app:latest
      in the engine at unix:///var/run/docker.sock
    "#);
    insta::assert_snapshot!(text(40), @r#"
    build.base
      %base image docker.io/library/… cached
    build.deps
      %venv run uv venv /venv --python… 2.1s
      %venv run uv pip install -r requ… 7.3s
    export.app
      %app copy "/venv" from %venv to … 0.4s
    exporting to image                  0.9s
    layers
      cae662172fd4  image docker.io… 74.8 MB
      a172cedcae47  copy "/venv" fro… 1.2 MB
      2 layers in all, compressed    76.0 MB
    warning: the base is for another platfo…
      it will be slow
    built in 12.3s: 3 steps ran, 1 cached, …
      sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d
      docker.io/library/app:latest
      in the engine at unix:///var/run/docker.sock
    "#);
}

#[test]
fn what_the_builder_does_besides_is_told_where_it_took_time() {
    let added = |name: &str| Progress::Added { name: name.to_owned() };
    let finished = |step, took| Progress::Finished { step: StepId(step), took: Duration::from_millis(took) };
    let mut show = Show::new(Style::Quiet, "app", PLAIN);
    for progress in [
        Progress::Planned(Outline::default()),
        added("read the image @base"),
        finished(0, 99),
        added("pull docker.io/library/debian"),
        Progress::Cached(StepId(1)),
        added("write the image"),
        finished(2, 10_100),
    ] {
        show.take(&progress, at(0), &mut Vec::new());
    }
    let look = Look { columns: 40, palette: PLAIN };
    let text = summary(&show.board, &outcome(), Duration::from_millis(12_340), look);
    let besides: Vec<&str> = text.lines().take_while(|line| *line != "layers").collect();
    assert_eq!(besides, ["write the image                    10.1s"]);
}

#[test]
fn layers_of_several_images_are_told_apart() {
    let mut outcome = Outcome { names: Vec::new(), places: Vec::new(), ..outcome() };
    let platforms = ["linux/amd64", "linux/arm64"].map(|it| it.parse().expect("is a platform"));
    for (layer, platform) in outcome.layers.iter_mut().zip(platforms) {
        layer.platform = Some(platform);
    }
    let look = Look { columns: 100, palette: PLAIN };
    let text = summary(&Board::default(), &outcome, Duration::from_secs(1), look);
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let told: Vec<String> = text.lines().take(6).map(words).collect();
    assert_eq!(
        told,
        [
            "layers for linux/amd64",
            "cae662172fd4 image docker.io/library/debian:bookworm-slim 74.8 MB",
            "1 layer in all, compressed 74.8 MB",
            "layers for linux/arm64",
            "a172cedcae47 copy \"/venv\" from %venv to \"/venv\" 1.2 MB",
            "1 layer in all, compressed 1.2 MB",
        ]
    );
}

#[test]
fn a_step_that_ran_in_part_ran() {
    let events = [
        (0, planned()),
        (0, Progress::Cached(StepId(0))),
        (1, Progress::Started(StepId(0))),
        (2, Progress::Finished { step: StepId(0), took: Duration::from_secs(1) }),
    ];
    assert!(written(Style::Plain, &events).ends_with("#1 done in 1.0s\n"));
}
