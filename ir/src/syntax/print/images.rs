//! Base images, and the lines that they share with the export.

use super::{Anchor, Group, Printer, STEP, of_word};
use crate::plan::{BaseImage, Healthcheck, HealthcheckTest, ImageConfig, InputName, Span};

impl Printer<'_> {
    pub(super) fn image(&mut self, name: &InputName, image: &BaseImage) {
        self.gap(Group::Images, image.digest.is_some() || image.config.is_some());
        let owner = image.span;
        self.line(
            || Anchor::of(owner),
            |printer| {
                printer.push(&format!("image {name} = "));
                printer.string(image.reference.as_str());
            },
        );
        self.indent += STEP;
        if let Some(digest) = &image.digest {
            self.line(
                || Anchor::within(owner, "digest", ""),
                |printer| printer.push(&format!("digest {digest}")),
            );
        }
        match &image.config {
            Some(config) if *config == ImageConfig::default() => {
                self.line(|| Anchor::within(owner, "config", ""), |printer| printer.push("config empty"));
            }
            Some(config) => self.config(owner, config),
            None => {}
        }
        self.indent -= STEP;
    }

    fn config(&mut self, owner: Span, config: &ImageConfig) {
        for (name, value) in &config.env {
            self.line(
                || Anchor::within(owner, "env", name.as_str()),
                |printer| {
                    printer.push(&format!("env {name} = "));
                    printer.string(value);
                },
            );
        }
        for (word, value) in [("workdir", &config.workdir), ("user", &config.user)] {
            if let Some(value) = value {
                self.string_line(owner, word, value);
            }
        }
        let lists = [("entrypoint", &config.entrypoint), ("cmd", &config.cmd), ("shell", &config.shell)];
        for (word, list) in lists {
            if let Some(list) = list {
                self.list_line(owner, word, list);
            }
        }
        for port in &config.ports {
            self.key_line(owner, "expose", &port.to_string());
        }
        for volume in &config.volumes {
            self.volume_line(owner, volume);
        }
        for (key, value) in &config.labels {
            self.label_line(owner, "label", key, value);
        }
        if let Some(signal) = &config.stop_signal {
            self.string_line(owner, "stop-signal", signal);
        }
        if let Some(check) = &config.healthcheck {
            self.healthcheck_line(owner, check);
        }
    }

    /// `WORD "VALUE"`
    pub(super) fn string_line(&mut self, owner: Span, word: &'static str, value: &str) {
        self.line(
            || Anchor::within(owner, word, ""),
            |printer| {
                printer.push(word);
                printer.push(" ");
                printer.string(value);
            },
        );
    }

    /// `WORD ["VALUE", …]`
    pub(super) fn list_line(&mut self, owner: Span, word: &'static str, list: &[String]) {
        self.line(
            || Anchor::within(owner, word, ""),
            |printer| {
                printer.push(word);
                printer.push(" ");
                printer.list(list);
            },
        );
    }

    /// `WORD KEY`
    pub(super) fn key_line(&mut self, owner: Span, word: &'static str, key: &str) {
        self.line(
            || Anchor::within(owner, word, key),
            |printer| {
                printer.push(word);
                printer.push(" ");
                printer.push(key);
            },
        );
    }

    /// `volume "PATH"`
    pub(super) fn volume_line(&mut self, owner: Span, path: &str) {
        self.line(
            || Anchor::within(owner, "volume", path),
            |printer| {
                printer.push("volume ");
                printer.string(path);
            },
        );
    }

    /// `label KEY = "VALUE"` and `annotation KEY = "VALUE"`
    pub(super) fn label_line(&mut self, owner: Span, word: &'static str, key: &str, value: &str) {
        self.line(
            || Anchor::within(owner, word, key),
            |printer| {
                printer.push(word);
                printer.push(" ");
                printer.word(key, |byte| of_word(byte) || byte == b'/');
                printer.push(" = ");
                printer.flat_string(value);
            },
        );
    }

    /// `healthcheck …`
    pub(super) fn healthcheck_line(&mut self, owner: Span, check: &Healthcheck) {
        self.line(
            || Anchor::within(owner, "healthcheck", ""),
            |printer| {
                printer.push("healthcheck ");
                match &check.test {
                    HealthcheckTest::None => printer.push("none"),
                    HealthcheckTest::Exec(argv) => {
                        printer.push("exec ");
                        printer.list(argv);
                    }
                    HealthcheckTest::Shell(script) => {
                        printer.push("shell ");
                        printer.string(script);
                    }
                }
                let times = [
                    ("interval", check.interval),
                    ("timeout", check.timeout),
                    ("start-period", check.start_period),
                ];
                for (word, seconds) in times {
                    if let Some(seconds) = seconds {
                        printer.push(&format!(" {word} {seconds}s"));
                    }
                }
                if let Some(retries) = check.retries {
                    printer.push(&format!(" retries {retries}"));
                }
            },
        );
    }
}
