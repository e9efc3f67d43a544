//! Names that nobody else has and nobody can guess: of a session, and of a build.
//!
//! Who knows the id of a session can have the daemon ask it for secrets, so chance comes from the
//! system. No id enters anything that is built.

use crate::failure::Failure;

const LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const LENGTH: usize = 25;

/// A new name, in the form that daemons know from other clients.
pub(crate) fn random_id() -> Result<String, Failure> {
    let mut chance = [0; LENGTH];
    getrandom::fill(&mut chance).map_err(|error| Failure::Unsendable {
        reason: format!("the system gives no random bytes: {error}"),
    })?;
    // Some letters are a little likelier than others: 25 of them hold enough chance all the same.
    Ok(chance.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_equal_and_all_have_the_form() {
        let (one, other) = (random_id().unwrap(), random_id().unwrap());
        assert_ne!(one, other);
        for id in [one, other] {
            assert_eq!(id.len(), LENGTH);
            assert!(id.bytes().all(|byte| LETTERS.contains(&byte)), "{id}");
        }
    }
}
