//! What a registry wants to see before it answers: the header `WWW-Authenticate` of its 401
//! (RFC 9110, and the distribution project's description of tokens).

/// What a registry wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// A name and a password, with every request.
    Basic,
    /// A token, which somebody else gives out.
    Bearer {
        /// The address of who does.
        realm: String,
        /// What the token is for, in that one's words.
        service: Option<String>,
        /// What the token must allow.
        scope: Option<String>,
    },
}

impl Challenge {
    /// The one of several that tells most: a token says what it is for.
    pub fn best<'h>(headers: impl Iterator<Item = &'h str>) -> Option<Self> {
        let mut found: Option<Self> = None;
        for challenge in headers.flat_map(challenges) {
            match (&found, &challenge) {
                (None, _) | (Some(Self::Basic), Self::Bearer { .. }) => found = Some(challenge),
                (Some(Self::Basic | Self::Bearer { .. }), Self::Basic | Self::Bearer { .. }) => {}
            }
        }
        found
    }
}

/// The challenges of one header that we know how to meet.
fn challenges(header: &str) -> Vec<Challenge> {
    let mut found = Vec::new();
    // A header may hold several: a scheme is a word that no `=` follows.
    let mut scheme = String::new();
    let mut parameters: Vec<(String, String)> = Vec::new();
    let mut rest = header.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|byte: char| byte == '=' || byte == ',' || byte.is_whitespace());
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        if let Some(value) = after.trim_start().strip_prefix('=') {
            let (value, after) = value_of(value.trim_start());
            parameters.push((word.to_ascii_lowercase(), value));
            rest = after;
        } else {
            found.extend(known(&scheme, &parameters));
            scheme = word.to_ascii_lowercase();
            parameters.clear();
            rest = after;
        }
        rest = rest.trim_start_matches(|byte: char| byte == ',' || byte.is_whitespace());
    }
    found.extend(known(&scheme, &parameters));
    found
}

fn known(scheme: &str, parameters: &[(String, String)]) -> Option<Challenge> {
    let of = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    match scheme {
        "basic" => Some(Challenge::Basic),
        "bearer" => {
            Some(Challenge::Bearer { realm: of("realm")?, service: of("service"), scope: of("scope") })
        }
        _ => None,
    }
}

/// A value, in quotes or not, and what comes after it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|byte: char| byte == ',' || byte.is_whitespace()).unwrap_or(text.len());
        let (value, after) = text.split_at(end);
        return (value.to_owned(), after);
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' => return (value, &quoted[place + 1..]),
            '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
            plain => value.push(plain),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(headers: &[&str]) -> Option<Challenge> {
        Challenge::best(headers.iter().copied())
    }

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        let [service, scope] = [service, scope].map(|text| text.map(str::to_owned));
        Some(Challenge::Bearer { realm: realm.to_owned(), service, scope })
    }

    #[test]
    fn challenges_are_read_in_all_their_forms() {
        let full = "Bearer realm=\"https://auth.example/token\",service=\"r.example\",scope=\"repository:a/b:pull,push\"";
        let expected =
            bearer("https://auth.example/token", Some("r.example"), Some("repository:a/b:pull,push"));
        assert_eq!(best(&[full]), expected);
        assert_eq!(best(&[&format!("Basic realm=\"x\", {full}")]), expected);
        assert_eq!(best(&["Basic realm=\"x\"", full]), expected);
        assert_eq!(
            best(&["bearer  Realm = https://a.example/t , service=s"]),
            bearer("https://a.example/t", Some("s"), None)
        );
        assert_eq!(best(&["Basic"]), Some(Challenge::Basic));
        assert_eq!(best(&["Basic realm=\"a \\\"b\\\", Bearer realm=c\""]), Some(Challenge::Basic));
        for nothing in [
            "",
            "Negotiate",
            "Bearer service=\"no realm\"",
            "Digest realm=\"x\"",
            "=",
            ",,",
            "\"",
            "Bearer realm",
        ] {
            assert_eq!(best(&[nothing]), None, "{nothing}");
        }
    }
}
