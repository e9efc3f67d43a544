//! The facts that are known, and the loop that fetches those that are missing.

use std::collections::{BTreeMap, BTreeSet};

use crate::answer::{Answer, DigestOf, Kind, Names, Text};
use crate::path::SourcePath;
use crate::question::Question;

/// What is known of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    answers: BTreeMap<Question, Answer>,
}

/// Planning cannot go on before these questions are answered. It is no mistake of anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread(BTreeSet<Question>);

impl Unread {
    /// These questions; `None` where there are none.
    pub fn of(questions: impl IntoIterator<Item = Question>) -> Option<Self> {
        let questions = BTreeSet::from_iter(questions);
        (!questions.is_empty()).then_some(Self(questions))
    }

    /// The questions.
    pub fn into_questions(self) -> BTreeSet<Question> {
        self.0
    }

    /// These and others, so that what is known to be needed is fetched at once.
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

impl Source {
    /// Notes an answer.
    pub fn learn(&mut self, question: Question, answer: Answer) {
        self.answers.insert(question, answer);
    }

    /// What stands at a path; `None` where there is nothing.
    pub fn kind(&self, path: &SourcePath) -> Result<Option<Kind>, Unread> {
        match self.get(Question::Kind(path.clone()))? {
            Answer::Kind(kind) => Ok(*kind),
            Answer::Text(_) | Answer::Names(_) | Answer::Digest(_) => unreachable_answer(),
        }
    }

    /// The text of a file.
    pub fn text(&self, path: &SourcePath) -> Result<&Text, Unread> {
        match self.get(Question::Text(path.clone()))? {
            Answer::Text(text) => Ok(text),
            Answer::Kind(_) | Answer::Names(_) | Answer::Digest(_) => unreachable_answer(),
        }
    }

    /// What a directory holds.
    pub fn names(&self, directory: &SourcePath) -> Result<&Names, Unread> {
        match self.get(Question::Names(directory.clone()))? {
            Answer::Names(names) => Ok(names),
            Answer::Kind(_) | Answer::Text(_) | Answer::Digest(_) => unreachable_answer(),
        }
    }

    /// The digest of a file's bytes.
    pub fn digest(&self, path: &SourcePath) -> Result<&DigestOf, Unread> {
        match self.get(Question::Digest(path.clone()))? {
            Answer::Digest(digest) => Ok(digest),
            Answer::Kind(_) | Answer::Text(_) | Answer::Names(_) => unreachable_answer(),
        }
    }

    /// The paths whose text was read, in order: what a plan was made of.
    pub fn read(&self) -> impl Iterator<Item = (&SourcePath, &str)> {
        self.answers.iter().filter_map(|(question, answer)| match (question, answer) {
            (Question::Text(path), Answer::Text(Text::Is(text))) => Some((path, &**text)),
            _ => None,
        })
    }

    /// What people are shown of a file that was read; nothing of one that is no text at all.
    pub fn shown(&self, path: &SourcePath) -> &str {
        match self.answers.get(&Question::Text(path.clone())) {
            Some(Answer::Text(Text::Is(text))) => text,
            Some(Answer::Text(Text::NotUtf8(not))) => not.shown(),
            Some(_) | None => "",
        }
    }

    fn get(&self, question: Question) -> Result<&Answer, Unread> {
        match self.answers.get(&question) {
            Some(answer) => Ok(answer),
            None => Err(Unread(BTreeSet::from([question]))),
        }
    }
}

/// [`answered`] is the only caller of [`Source::learn`] with a reader behind it, and readers answer
/// a question of one kind with one of the same kind: [`crate::MemoryProject`] and `io/project` are
/// matches over the question.
fn unreachable_answer() -> ! {
    unreachable!("a question about a project was given an answer to another one")
}

/// Plans, reads what planning asks for, and plans again, until nothing is asked any more.
pub fn answered<T, E>(
    source: &mut Source,
    mut plan: impl FnMut(&Source) -> Result<T, Unread>,
    mut read: impl FnMut(&Question) -> Result<Answer, E>,
) -> Result<T, E> {
    loop {
        match plan(source) {
            Ok(planned) => return Ok(planned),
            Err(unread) => {
                for question in unread.into_questions() {
                    let answer = read(&question)?;
                    source.learn(question, answer);
                }
            }
        }
    }
}
