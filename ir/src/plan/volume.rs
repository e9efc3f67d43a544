//! One form for the paths of volumes, by which it is known that one directory is one volume.

/// `/a` for `/a`, `/a/`, `//a` and `/./a`. What is no absolute path stays as it is.
pub fn one_form(path: &str) -> String {
    if !path.starts_with('/') {
        return path.to_owned();
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_directory_has_one_form() {
        for (written, form) in [
            ("/a", "/a"),
            ("/a/", "/a"),
            ("//a/./b//", "/a/b"),
            ("/", "/"),
            ("a/", "a/"),
            ("", ""),
            ("/..", "/.."),
        ] {
            assert_eq!(one_form(written), form, "{written}");
        }
    }
}
