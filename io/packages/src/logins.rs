//! Logins in addresses that another program repeats: what it says goes to a terminal, and to logs.

/// What ends an address in a sentence.
const BEHIND: [char; 6] = ['\'', '"', '`', '<', '>', ' '];

/// A text without the logins of its addresses, well-formed ones or not: uv leaves them out of those that it can
/// read, and repeats all others as they stand. Who is asked for by ssh is no secret, and is kept.
pub(crate) fn without_logins_of_addresses(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(":/") {
        let (scheme, behind) = (&rest[..at], &rest[at + 1..]);
        // A path has no more than one of those that an address begins with.
        let address = behind.trim_start_matches('/');
        kept.push_str(&rest[..rest.len() - address.len()]);
        let end =
            address.find(|it: char| it.is_whitespace() || BEHIND.contains(&it)).unwrap_or(address.len());
        let login = if scheme.ends_with("ssh") { 0 } else { login(&address[..end]) };
        kept.push_str(&address[login..end]);
        rest = &address[end..];
    }
    kept.push_str(rest);
    kept
}

/// How many bytes of an address, without its scheme, are a login and the `@` behind it.
fn login(address: &str) -> usize {
    let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
    let is_host = match authority.rsplit_once(':') {
        None => true,
        Some((_, port)) => port.bytes().all(|it| it.is_ascii_digit()),
    };
    // A password with a `/` in it ends no authority for people, and is no port.
    let of = if is_host || authority.contains('@') { authority } else { address };
    of.rfind('@').map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_login_is_left_in_addresses_of_any_form() {
        for (said, shown) in [
            (
                "at `https://me:pass@a.example/simple`, twice https://token@a.example",
                "at `https://a.example/simple`, twice https://a.example",
            ),
            (
                "invalid value 'http://me:pass@[bad/simple' for '--default-index <URL>'",
                "invalid value 'http://[bad/simple' for '--default-index <URL>'",
            ),
            ("directory: `/here/http:/me:pass@a.example:80/x`", "directory: `/here/http:/a.example:80/x`"),
            (
                "invalid value 'https://me:pa/s@s@a.example/simple' for",
                "invalid value 'https://a.example/simple' for",
            ),
            (
                "https://a.example/@scope and https://a.example:8443/@scope",
                "https://a.example/@scope and https://a.example:8443/@scope",
            ),
            ("git+ssh://git@a.example/own", "git+ssh://git@a.example/own"),
            ("no address: at /tmp, me@a.example, C:/, ://", "no address: at /tmp, me@a.example, C:/, ://"),
        ] {
            assert_eq!(without_logins_of_addresses(said), shown);
        }
    }
}
