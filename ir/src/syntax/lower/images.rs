//! Base images, and the properties that they share with the export.

use super::blocks::Said;
use super::values::{is_text, operands};
use super::{Lowering, Pair};
use crate::plan::{
    BaseImage, EnvName, Healthcheck, HealthcheckTest, ImageConfig, InputName, Port, Span, Spanned, Template,
};
use crate::syntax::comments::Anchor;
use crate::syntax::grammar::Rule;
use crate::syntax::kinds::Kind;

impl<'t> Lowering<'t> {
    pub(super) fn image(&mut self, pair: Pair<'t>) -> Option<(InputName, BaseImage)> {
        let statement = self.span(&pair);
        let mut head =
            pair.clone().into_inner().filter(|part| part.as_rule() == Rule::input_name || is_text(part));
        let name: Option<Spanned<InputName>> = self.name(&head.next()?);
        let reference = head.next()?;
        let at = self.span(&reference);
        let written = self.string(&reference);
        let reference = match written.parse() {
            Ok(reference) => Some(Spanned::new(reference, at)),
            Err(error) => {
                let error: cogpack_content::InvalidReference = error;
                let help = "write it like `docker.io/library/debian:bookworm-slim`";
                self.refuse(error.to_string(), help, at);
                None
            }
        };
        let owner = name.as_ref().map_or(Span::NOWHERE, |name| name.span);
        self.note(statement, Some(Span::new(at.end(), statement.end())), Anchor::of(owner));
        let mut digest = None;
        let mut config = None;
        self.properties(pair, owner, &mut digest, &mut config);
        let name = name?;
        Some((name.value, BaseImage { reference: reference?, digest, config, span: name.span }))
    }

    fn properties(
        &mut self,
        image: Pair<'t>,
        owner: Span,
        digest: &mut Option<Spanned<cogpack_content::Digest>>,
        config: &mut Option<ImageConfig>,
    ) {
        let mut said = Said::default();
        let mut empty: Option<Span> = None;
        let mut has_property = false;
        self.statements(image, Kind::Image, |lowering, part| {
            let at = lowering.span(&part);
            match part.as_rule() {
                Rule::kw_image | Rule::input_name | Rule::equals | Rule::quoted | Rule::text_block => return,
                Rule::digest_setting => {
                    lowering.note(at, None, Anchor::within(owner, "digest", ""));
                    if said.first("digest", "", at, &mut lowering.findings) {
                        *digest = lowering.spanned_digest(part);
                    }
                    return;
                }
                Rule::config_empty => {
                    lowering.note(at, None, Anchor::within(owner, "config", ""));
                    said.first("config", "", at, &mut lowering.findings);
                    empty = Some(at);
                    config.get_or_insert_default();
                    return;
                }
                _ => {}
            }
            has_property = true;
            lowering.property(part, owner, &mut said, config.get_or_insert_default());
        });
        if let Some(empty) = empty.filter(|_| has_property) {
            let reason = "a config with properties is not empty".to_owned();
            self.refuse(reason, "take away `config empty`, or all properties but `digest`", empty);
        }
    }

    /// One property of a config.
    fn property(&mut self, part: Pair<'t>, owner: Span, said: &mut Said, config: &mut ImageConfig) {
        let at = self.span(&part);
        let rule = part.as_rule();
        let mut values = operands(part.clone());
        let Some(first) = values.next() else { return };
        let mut claim = |lowering: &mut Self, word: &'static str, key: &str| {
            lowering.note(at, None, Anchor::within(owner, word, key));
            said.first(word, key, at, &mut lowering.findings)
        };
        match rule {
            Rule::env_setting => {
                let Some(name) = self.name::<EnvName>(&first) else { return };
                if claim(self, "env", name.as_str())
                    && let Some(value) = values.next()
                {
                    let value = self.string(&value);
                    config.env.push((name.value, value));
                }
            }
            Rule::workdir_setting if claim(self, "workdir", "") => config.workdir = Some(self.string(&first)),
            Rule::user_setting if claim(self, "user", "") => config.user = Some(self.string(&first)),
            Rule::entrypoint_setting if claim(self, "entrypoint", "") => {
                config.entrypoint = Some(self.list(&first).value);
            }
            Rule::cmd_setting if claim(self, "cmd", "") => config.cmd = Some(self.list(&first).value),
            Rule::shell_setting if claim(self, "shell", "") => config.shell = Some(self.list(&first).value),
            Rule::stop_signal if claim(self, "stop-signal", "") => {
                config.stop_signal = Some(self.string(&first))
            }
            Rule::healthcheck if claim(self, "healthcheck", "") => {
                config.healthcheck = self.healthcheck(part)
            }
            Rule::expose => {
                let Some(port) = self.port(&first) else { return };
                if claim(self, "expose", &port.to_string()) {
                    config.ports.insert(port);
                }
            }
            Rule::volume => {
                let path = self.string(&first);
                if claim(self, "volume", &path) {
                    config.volumes.insert(path);
                }
            }
            Rule::label => {
                let key = self.key(&first);
                if claim(self, "label", &key)
                    && let Some(value) = values.next()
                {
                    let value = self.string(&value);
                    config.labels.insert(key, value);
                }
            }
            _ => {}
        }
    }

    /// A label's or annotation's key, with or without quotes.
    pub(super) fn key(&mut self, pair: &Pair<'t>) -> String {
        if is_text(pair) { self.string(pair) } else { pair.as_str().to_owned() }
    }

    /// A port.
    pub(super) fn port(&mut self, pair: &Pair<'t>) -> Option<Port> {
        self.value(pair, "write it like `5000/tcp`")
    }

    /// The digest of a `digest` statement.
    pub(super) fn spanned_digest(&mut self, setting: Pair<'t>) -> Option<Spanned<cogpack_content::Digest>> {
        let written = operands(setting).next()?;
        Some(Spanned::new(self.digest(&written)?, self.span(&written)))
    }

    /// A `name = "value"` of an env statement, where the name is one.
    pub(super) fn variable(&mut self, pair: Pair<'t>) -> Option<(Spanned<EnvName>, Spanned<Template>)> {
        let mut values = operands(pair);
        let name = self.name(&values.next()?);
        let value = self.template(&values.next()?);
        Some((name?, value))
    }

    /// A `healthcheck` statement.
    pub(super) fn healthcheck(&mut self, pair: Pair<'t>) -> Option<Healthcheck> {
        let mut check = Healthcheck {
            test: HealthcheckTest::None,
            interval: None,
            timeout: None,
            start_period: None,
            retries: None,
        };
        let mut said = Said::default();
        for part in pair.into_inner() {
            let at = self.span(&part);
            let rule = part.as_rule();
            let value = operands(part).next();
            let (word, target) = match rule {
                Rule::healthcheck_test => {
                    check.test = match value {
                        Some(list) if list.as_rule() == Rule::list => {
                            HealthcheckTest::Exec(self.list(&list).value)
                        }
                        Some(script) => HealthcheckTest::Shell(self.string(&script)),
                        None => HealthcheckTest::None,
                    };
                    continue;
                }
                Rule::retries => {
                    if said.first("retries", "", at, &mut self.findings) {
                        check.retries = value.and_then(|value| self.number(&value));
                    }
                    continue;
                }
                Rule::interval => ("interval", &mut check.interval),
                Rule::timeout => ("timeout", &mut check.timeout),
                Rule::start_period => ("start-period", &mut check.start_period),
                _ => continue,
            };
            if said.first(word, "", at, &mut self.findings) {
                *target = value.and_then(|value| self.seconds(&value));
            }
        }
        Some(check)
    }
}
