//! Addresses of git repositories.

/// Whether an address is one of a server, in a form that git reaches servers by: `https`, `http`, `git` and
/// `ssh`, or `HOST:PATH`. Everything else that git takes stays on the machine or runs a program: paths,
/// `file://` and `HELPER::ADDRESS`.
pub fn is_of_server(address: &str) -> bool {
    if address.starts_with('-') || address.contains("::") {
        return false;
    }
    let (of_scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => {
            (matches!(scheme, "https" | "http" | "git" | "ssh" | "git+ssh" | "ssh+git"), rest)
        }
        // git takes what has a slash before the first colon for a path.
        None => match address.split_once(':') {
            Some((host, rest)) => (!host.contains('/') && !rest.is_empty(), host),
            None => (false, address),
        },
    };
    let host = rest.split('/').next().unwrap_or_default();
    // A leading dash would be an option to the program that connects.
    let name = host.rsplit('@').next().unwrap_or_default();
    of_scheme && !name.is_empty() && !name.starts_with('-') && !host.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_leads_to_a_server_is_an_address_of_one() {
        for address in [
            "https://example.org/a.git",
            "http://localhost:8080/a",
            "git://127.0.0.1/a",
            "ssh://git@example.org:22/a",
            "git@example.org:a/b.git",
            "example.org:a",
        ] {
            assert!(is_of_server(address), "{address}");
        }
        for address in [
            "/srv/a",
            "../a",
            "./host:path",
            "file:///srv/a",
            "ext::sh",
            "fd::7/a",
            "ftp://example.org/a",
            "https:///a",
            "ssh://-oProxyCommand=a/b",
            "ssh://git@-oProxyCommand=a/b",
            "-oProxyCommand=a:b",
            "git@-o:b",
            "host:",
            "--upload-pack=a",
            "",
        ] {
            assert!(!is_of_server(address), "{address}");
        }
    }
}
