//! The instructions that say something about the image alone.

use cogpack_ir::plan::{EnvName, Healthcheck, HealthcheckTest, ImageConfig};

use super::super::copying::problem;
use super::super::lines::Instruction;
use super::super::operands::Operands;
use super::super::{Unreadable, words};
use super::Builder;

/// Sets a variable; a changed one keeps its place.
pub(super) fn set_variable(config: &mut ImageConfig, name: &str, value: &str) -> Result<(), Unreadable> {
    let name: EnvName = Builder::env_name(name)?;
    match config.env.iter_mut().find(|(it, _)| *it == name) {
        Some((_, old)) => value.clone_into(old),
        None => config.env.push((name, value.to_owned())),
    }
    Ok(())
}

/// A config in which nothing said and something empty said are the same, and variables are sorted:
/// where `PATH` stands is the builder's choice.
pub fn normalised(config: &ImageConfig) -> ImageConfig {
    let mut config = config.clone();
    config.env.sort();
    for list in [&mut config.entrypoint, &mut config.cmd] {
        if list.as_ref().is_some_and(Vec::is_empty) {
            *list = None;
        }
    }
    let is_root = |path: &mut String| path == "/" || path.is_empty();
    config.workdir.take_if(is_root);
    config.user.take_if(|user| user.is_empty());
    if let Some(check) = &mut config.healthcheck {
        for time in [&mut check.interval, &mut check.timeout, &mut check.start_period] {
            time.take_if(|it| *it == 0);
        }
        check.retries.take_if(|it| *it == 0);
    }
    config
}

impl Builder<'_> {
    pub(super) fn configure(&mut self, instruction: &Instruction) -> Result<(), Unreadable> {
        match (instruction.keyword.as_str(), &instruction.operands) {
            ("ENV", Operands::Pairs(pairs)) => {
                // All see what was set before the instruction.
                for (name, value) in self.expanded(pairs)? {
                    set_variable(&mut self.stage.config, &name, &value)?;
                }
            }
            ("LABEL", Operands::Pairs(pairs)) => {
                let labels = self.expanded(pairs)?;
                self.stage.config.labels.extend(labels);
            }
            ("USER", Operands::Text(text)) if !text.is_empty() => {
                self.stage.config.user = Some(self.word(text)?);
            }
            ("STOPSIGNAL", Operands::Text(text)) if !text.is_empty() => {
                self.stage.config.stop_signal = Some(self.word(text)?);
            }
            ("SHELL", Operands::List(shell)) if !shell.is_empty() => {
                self.stage.config.shell = Some(shell.clone());
            }
            ("CMD", operands) => {
                self.stage.config.cmd = Some(self.command(operands)?);
                self.stage.command_was_set = true;
            }
            ("ENTRYPOINT", operands) => {
                self.stage.config.entrypoint = Some(self.command(operands)?);
                if !self.stage.command_was_set {
                    self.stage.config.cmd = None;
                }
            }
            ("EXPOSE", Operands::Separate(ports)) => {
                for port in ports {
                    let variables = |name: &str| self.variable(name);
                    let read = words::read(port, self.rules, words::Kept::default(), &variables)?;
                    for port in read.separate {
                        self.stage.config.ports.insert(problem(port.parse())?);
                    }
                }
            }
            ("VOLUME", Operands::List(volumes) | Operands::Separate(volumes)) => {
                for volume in volumes {
                    let volume = match self.rules.volumes_trimmed_late {
                        true => self.word(volume)?.trim().to_owned(),
                        false => self.word(volume.trim())?,
                    };
                    if volume.is_empty() {
                        return Unreadable::new("a volume without a path");
                    }
                    self.stage.config.volumes.insert(volume);
                }
            }
            ("HEALTHCHECK", Operands::Text(text)) => {
                self.stage.config.healthcheck = Some(self.healthcheck(&instruction.flags, text)?);
            }
            (_, operands) => return Unreadable::new(format!("{operands:?}")),
        }
        Ok(())
    }

    fn expanded(&self, pairs: &[(String, String)]) -> Result<Vec<(String, String)>, Unreadable> {
        pairs.iter().map(|(name, value)| Ok((self.word(name)?, self.word(value)?))).collect()
    }

    fn healthcheck(&self, flags: &[String], text: &str) -> Result<Healthcheck, Unreadable> {
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim_start();
        let test = match word.to_ascii_uppercase().as_str() {
            "NONE" if rest.is_empty() => HealthcheckTest::None,
            "CMD" if !rest.is_empty() => match Self::list(rest)? {
                Some(argv) if !argv.is_empty() => HealthcheckTest::Exec(argv),
                Some(_) => return Unreadable::new("an empty list"),
                None => HealthcheckTest::Shell(rest.to_owned()),
            },
            _ => return Unreadable::new(text),
        };
        let mut check =
            Healthcheck { test, interval: None, timeout: None, start_period: None, retries: None };
        for flag in flags {
            let known = ["interval", "timeout", "start-period", "retries"];
            let (name, value) = self.flag(flag, &known)?;
            let number = value.strip_suffix('s').unwrap_or(&value);
            let seconds: u64 = problem(number.parse())?;
            match name.as_str() {
                "interval" => check.interval = Some(seconds),
                "timeout" => check.timeout = Some(seconds),
                "start-period" => check.start_period = Some(seconds),
                _ => check.retries = Some(problem(number.parse())?),
            }
        }
        Ok(check)
    }
}
