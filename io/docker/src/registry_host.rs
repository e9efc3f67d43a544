//! Registries have several names. The `docker` command, the files that it writes and daemons do not
//! agree on them; here they are made one.

/// The key under which the `docker` command keeps the login for Docker's own registry.
pub const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// The name under which a login is kept, for a host as a daemon or an image reference names it.
pub fn key_of(host: &str) -> &str {
    match host {
        "docker.io" | "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB,
        other => other,
    }
}

/// The host in a key of the configuration, which may be a whole address: `https://HOST/v1/`.
pub fn host_in(key: &str) -> &str {
    let without_scheme = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    without_scheme.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_of_dockers_registry_are_one() {
        for host in ["docker.io", "index.docker.io", "registry-1.docker.io"] {
            assert_eq!(key_of(host), DOCKER_HUB);
        }
        assert_eq!(key_of("registry.example:5000"), "registry.example:5000");
        assert_eq!(key_of("registry.docker.io"), "registry.docker.io");
    }

    #[test]
    fn keys_may_be_hosts_or_addresses() {
        for key in
            ["r.example:5000", "https://r.example:5000", "http://r.example:5000/v1/", "r.example:5000/a/b"]
        {
            assert_eq!(host_in(key), "r.example:5000", "{key}");
        }
        assert_eq!(host_in(DOCKER_HUB), "index.docker.io");
    }
}
