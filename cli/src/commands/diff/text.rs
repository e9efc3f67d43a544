//! The answer for a terminal: first what was changed, then what that builds again. It is meant to
//! fit a screen, so what is the same for many is said once, and long lists are cut; the JSON form
//! has all of it.

use cogpack_diff::{LayerState, Rerun};

use super::told::Lines;
use super::{Answer, told};
use crate::progress::palette::{Palette, Tone};
use crate::progress::text::{counted, plain};

/// Most stages and settings whose changes are told.
const MOST_CHANGES: usize = 24;

/// Most lines of one op or setting.
const MOST_LINES: usize = 12;

/// Most ops of one stage or setting that are told of.
const MOST_OPS: usize = 8;

/// Most layers and runs that are told of one after the other.
const MOST_ROWS: usize = 16;

/// The answer.
pub fn text(answer: &Answer<'_>, palette: Palette) -> String {
    let mut page = Page { text: String::new(), palette };
    let Answer { old, new, found, sizes } = answer;
    if found.is_empty() {
        return String::new();
    }
    page.line(Tone::Strong, &format!("{} → {}", plain(&old.shown), plain(&new.shown)));
    page.changes(answer);
    if found.rest {
        page.line(Tone::Plain, "");
        page.line(Tone::Plain, "what differs changes nothing that is built: names of layers, `by`, order");
    }
    page.line(Tone::Plain, "");
    page.line(Tone::Strong, &told::summary(found));
    page.layers(answer);
    page.gone(&found.gone);
    let beside: Vec<&Rerun> = found.runs.iter().filter(|run| !run.in_image).collect();
    page.runs(&beside);
    if let Some(sizes) = sizes {
        page.line(Tone::Plain, "");
        page.line(Tone::Strong, &sizes.summary());
    }
    page.text
}

struct Page {
    text: String,
    palette: Palette,
}

impl Page {
    fn line(&mut self, tone: Tone, line: &str) {
        self.text.push_str(&self.palette.paint(tone, line));
        self.text.push('\n');
    }

    fn changes(&mut self, answer: &Answer<'_>) {
        let found = &answer.found;
        let (old_lines, new_lines) = (Lines::of(answer.old), Lines::of(answer.new));
        for change in found.stages.iter().take(MOST_CHANGES) {
            let is_gone = change.after.is_none();
            let Some(name) = change.after.as_ref().or(change.before.as_ref()) else { continue };
            let line = if is_gone { &old_lines } else { &new_lines }.at(change.span);
            let line = line.map_or_else(String::new, |line| format!(" (line {line})"));
            let said = told::of_stage(change).join(", ");
            let (said, place) = match said.is_empty() {
                true => (String::new(), line),
                false => (format!(" {said}"), line),
            };
            self.line(Tone::Plain, "");
            self.line(Tone::Plain, &format!("stage {name}{said}{place}"));
            for op in change.ops.iter().take(MOST_OPS) {
                self.lines(&told::of_op(op));
            }
            self.more(change.ops.len(), MOST_OPS, "op");
        }
        self.more(found.stages.len(), MOST_CHANGES, "stage");
        for change in found.settings.iter().take(MOST_CHANGES) {
            self.line(Tone::Plain, "");
            match &change.renamed_from {
                Some(was) => self.line(Tone::Plain, &format!("{} was {was}", change.what)),
                None => {
                    self.line(Tone::Plain, &change.what);
                    self.lines(&told::lines(&change.before, &change.after));
                }
            }
        }
        self.more(found.settings.len(), MOST_CHANGES, "declaration");
    }

    fn more(&mut self, all: usize, told: usize, word: &str) {
        if all > told {
            self.line(Tone::Faint, &format!("  … and {} more", counted((all - told) as u64, word)));
        }
    }

    fn lines(&mut self, lines: &[(char, String)]) {
        for (sign, line) in lines.iter().take(MOST_LINES) {
            let tone = match sign {
                '-' => Tone::Bad,
                '+' => Tone::Good,
                '>' => Tone::Notable,
                _ => Tone::Faint,
            };
            let line = format!("  {sign} {}", plain(line));
            self.line(tone, line.trim_end());
        }
        self.more(lines.len(), MOST_LINES, "line");
    }

    /// The layers, lowest first; neighbours that stay, and neighbours with one cause, together.
    fn layers(&mut self, answer: &Answer<'_>) {
        let layers = &answer.found.layers;
        let mut rows = 0;
        let mut next = 0;
        while next < layers.len() {
            let layer = &layers[next];
            let alike = layers[next..].iter().take_while(|other| match (&layer.state, &other.state) {
                (LayerState::Stays, LayerState::Stays) => layer.stage.is_some() == other.stage.is_some(),
                (LayerState::Rebuilt(one), LayerState::Rebuilt(other)) => one == other,
                _ => false,
            });
            let alike = alike.count().max(1);
            if rows == MOST_ROWS {
                self.line(
                    Tone::Faint,
                    &format!("  … and {} more", counted((layers.len() - next) as u64, "layer")),
                );
                return;
            }
            rows += 1;
            let bytes = answer.sizes.as_ref().and_then(|sizes| sizes.of_layers(next..next + alike));
            let bytes = bytes.map_or_else(String::new, |bytes| format!("  {bytes}"));
            let (word, tone) = match &layer.state {
                LayerState::Stays => ("stays", Tone::Faint),
                LayerState::Changes(_) if told::is_new(layer) => ("new", Tone::Notable),
                LayerState::Changes(_) => ("changed", Tone::Notable),
                LayerState::Rebuilt(_) => ("rebuilt", Tone::Bad),
                LayerState::Comes => ("comes", Tone::Notable),
            };
            let mut what = plain(&told::of_layer(layer)).into_owned();
            if alike > 1 {
                what = format!("{what} and {}", counted(alike as u64 - 1, "more layer"));
            }
            self.line(tone, &format!("  {word:8} {what}{bytes}"));
            if let Some(why) = told::of_state(layer) {
                self.line(Tone::Faint, &format!("           {}", plain(&why)));
            }
            next += alike;
        }
    }

    fn gone(&mut self, gone: &[String]) {
        if gone.is_empty() {
            return;
        }
        let first = plain(&gone[0]).into_owned();
        let rest = match gone.len() {
            1 => String::new(),
            more => format!(" and {}", counted(more as u64 - 1, "more layer")),
        };
        self.line(Tone::Faint, &format!("  gone     {first}{rest}"));
    }

    /// Ops of stages that the image only reads.
    fn runs(&mut self, runs: &[&Rerun]) {
        if runs.is_empty() {
            return;
        }
        self.line(Tone::Plain, "");
        self.line(Tone::Strong, "also run again, in stages that the image only reads");
        let mut next = 0;
        let mut rows = 0;
        while next < runs.len() {
            let run = runs[next];
            let alike = runs[next..].iter().take_while(|other| other.cause == run.cause).count();
            if rows == MOST_ROWS {
                self.line(
                    Tone::Faint,
                    &format!("  … and {} more", counted((runs.len() - next) as u64, "op")),
                );
                return;
            }
            rows += 1;
            let more = match alike {
                1 => String::new(),
                more => format!(" and {}", counted(more as u64 - 1, "more op")),
            };
            self.line(Tone::Plain, &format!("  {}: {}{more}", run.stage, plain(&run.op)));
            let own =
                run.cause.is_own() && run.cause.at.as_ref() == Some(&(run.stage.clone(), run.op.clone()));
            if !own {
                self.line(Tone::Faint, &format!("      because {}", plain(&run.cause.to_string())));
            }
            next += alike;
        }
    }
}
