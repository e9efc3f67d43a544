//! The grammar's rules in words of the language, for messages.

use super::grammar::Rule;

/// Whether a rule is a sign or a word that stands for itself. The grammar lists them last.
pub(super) fn is_keyword(rule: Rule) -> bool {
    rule >= Rule::equals
}

/// The word a keyword's rule stands for, for instance `stop-signal`.
pub(super) fn keyword(rule: Rule) -> Option<&'static str> {
    KEYWORDS.iter().find(|(keyword, _)| *keyword == rule).map(|(_, word)| *word)
}

/// Whether a word is one of the language.
pub(super) fn is_of_the_language(word: &str) -> bool {
    KEYWORDS.iter().any(|(_, known)| *known == word)
}

/// What to call a value or a sign that was expected; `None` for rules that no message names.
pub(super) fn value(rule: Rule) -> Option<&'static str> {
    VALUES.iter().find(|(value, _)| *value == rule).map(|(_, words)| *words)
}

/// How the statement is written that `text` begins with; the second word may tell more than the
/// first.
pub(super) fn form(text: &str) -> Option<&'static str> {
    let mut words = text.split_whitespace();
    let (first, second) = (words.next()?, words.next().unwrap_or_default());
    let form_of = |words: &str| FORMS.iter().find(|(first, _)| *first == words).map(|(_, form)| *form);
    form_of(&format!("{first} {second}")).or_else(|| form_of(first))
}

macro_rules! keywords {
    ($($rule:ident $word:literal),* $(,)?) => { &[$((Rule::$rule, $word)),*] };
}

const KEYWORDS: &[(Rule, &str)] = keywords! {
    kw_annotation "annotation",
    kw_append "append",
    kw_archive "archive",
    kw_as "as",
    kw_at "at",
    kw_after "after",
    kw_base64 "base64",
    kw_by "by",
    kw_cache "cache",
    kw_certificate "certificate",
    kw_checksum "checksum",
    kw_clear "clear",
    kw_cmd "cmd",
    kw_commit "commit",
    kw_config "config",
    kw_contents "contents",
    kw_context "context",
    kw_copy "copy",
    kw_cpk "cpk",
    kw_deb "deb",
    kw_debs "debs",
    kw_default "default",
    kw_digest "digest",
    kw_dir "dir",
    kw_empty "empty",
    kw_entrypoint "entrypoint",
    kw_env "env",
    kw_exclude "exclude",
    kw_exec "exec",
    kw_export "export",
    kw_expose "expose",
    kw_file "file",
    kw_files "files",
    kw_follow "follow",
    kw_from "from",
    kw_git "git",
    kw_hash "hash",
    kw_healthcheck "healthcheck",
    kw_host "host",
    kw_http "http",
    kw_image "image",
    kw_in "in",
    kw_include "include",
    kw_interpreter "interpreter",
    kw_interval "interval",
    kw_into "into",
    kw_label "label",
    kw_labels "labels",
    kw_layer "layer",
    kw_locked "locked",
    kw_mkdir "mkdir",
    kw_mode "mode",
    kw_mount "mount",
    kw_name "name",
    kw_network "network",
    kw_none "none",
    kw_oci "oci",
    kw_optional "optional",
    kw_owner "owner",
    kw_parallel "parallel",
    kw_phase "phase",
    kw_platform "platform",
    kw_ports "ports",
    kw_prepend "prepend",
    kw_private "private",
    kw_provides "provides",
    kw_python "python",
    kw_readonly "readonly",
    kw_remove "remove",
    kw_replace "replace",
    kw_retries "retries",
    kw_run "run",
    kw_scratch "scratch",
    kw_secret "secret",
    kw_select "select",
    kw_sharing "sharing",
    kw_shared "shared",
    kw_shell "shell",
    kw_size "size",
    kw_ssh "ssh",
    kw_stage "stage",
    kw_start_period "start-period",
    kw_stop_signal "stop-signal",
    kw_subdir "subdir",
    kw_suite "suite",
    kw_symlink "symlink",
    kw_tag "tag",
    kw_timeout "timeout",
    kw_tmpfs "tmpfs",
    kw_to "to",
    kw_unset "unset",
    kw_url "url",
    kw_user "user",
    kw_volume "volume",
    kw_volumes "volumes",
    kw_wheel "wheel",
    kw_wheels "wheels",
    kw_workdir "workdir",
    kw_writable "writable",
};

/// What an input is called.
pub(super) const INPUT: &str = "an input (`scratch`, `image @x`, `%stage`, `phase p` or `@context`)";

const STAGE: &str = "a stage's name such as `%venv`";
const NAMED: &str = "a name such as `@source`";
const CONTEXT: &str = "a context's name such as `@source`";

/// The signs of names, each with what such a name is called.
pub(super) const SIGNED: [(&str, &str); 3] = [("%", STAGE), ("@", NAMED), ("@", CONTEXT)];

/// What a text in quotes is called.
pub(super) const STRING: &str = "a string in quotes";
/// What stands before a value.
pub(super) const EQUALS: &str = "`=`";

const VALUES: &[(Rule, &str)] = &[
    (Rule::EOI, "the end"),
    (Rule::version, "a version"),
    (Rule::platform_name, "a platform such as `linux/amd64`"),
    (Rule::stage_name, STAGE),
    (Rule::input_name, NAMED),
    (Rule::context_name, CONTEXT),
    (Rule::phase_name, "a phase's name"),
    (Rule::secret_name, "a secret's name"),
    (Rule::cache_name, "a cache's name"),
    (Rule::layer_name, "a layer's name"),
    (Rule::block_name, "a block's name"),
    (Rule::env_name, "a variable's name"),
    (Rule::provided_word, "a word"),
    (Rule::ssh_name, "a name"),
    (Rule::key, "a key"),
    (Rule::digest, "a digest such as `sha256:…`"),
    (Rule::commit, "a commit"),
    (Rule::mode, "a mode such as `0755`"),
    (Rule::owner, "an owner such as `app:app`"),
    (Rule::port, "a port such as `5000/tcp`"),
    (Rule::number, "a number"),
    (Rule::size, "a size such as `64m`"),
    (Rule::duration, "a duration such as `30s`"),
    (Rule::input, INPUT),
    (Rule::list, "a list such as `[\"a\", \"b\"]`"),
    (Rule::bare_path, "a path"),
    (Rule::quoted, STRING),
    (Rule::text_block, STRING),
    // Where pest has come no further than to its first word.
    (Rule::copy_sources, STRING),
    (Rule::healthcheck_test, "`none`, `exec` or `shell`"),
    (Rule::equals, EQUALS),
    (Rule::comma, "`,`"),
    (Rule::colon, "`:` and a line"),
    (Rule::list_end, "`]`"),
    (Rule::rules_block, "`{`"),
    (Rule::http_block, "`{`"),
    (Rule::git_block, "`{`"),
    (Rule::oci_block, "`{`"),
    (Rule::files_block, "`{`"),
    (Rule::wheels_block, "`{`"),
    (Rule::debs_block, "`{`"),
    (Rule::locked_block, "`{`"),
    (Rule::stage_block, "`{`"),
    (Rule::layer_block, "`{`"),
    (Rule::execution_block, "`{`"),
    (Rule::export_block, "`{`"),
];

const FORMS: &[(&str, &str)] = &[
    ("annotation", "annotation KEY = \"VALUE\""),
    ("archive", "archive \"FILE.tar.gz\" at \"PATH\" { hash sha256:HEX }"),
    ("by", "by BLOCK at \"FILE\":LINE"),
    ("cache", "cache NAME"),
    ("certificate", "certificate \"FILE.crt\" = \"PEM\""),
    ("checksum", "checksum sha256:HEX"),
    ("clear", "clear WORD"),
    ("cmd", "cmd [\"PROGRAM\", \"ARGUMENT\"]"),
    ("commit", "commit HEX"),
    ("config", "config empty"),
    ("context", "context @NAME = dir \"PATH\" { … }"),
    ("copy", "copy \"SOURCE\" from INPUT to \"PATH\""),
    ("copy contents", "copy contents \"DIRECTORY\" from INPUT to \"PATH\""),
    ("cpk", "cpk 1"),
    ("deb", "deb \"FILE.deb\" { hash sha256:HEX }"),
    ("digest", "digest sha256:HEX"),
    ("entrypoint", "entrypoint [\"PROGRAM\", \"ARGUMENT\"]"),
    ("env", "env NAME = \"VALUE\""),
    ("env append", "env append NAME \"VALUE\""),
    ("env prepend", "env prepend NAME \"VALUE\""),
    ("exclude", "exclude \"PATTERN\""),
    ("exec", "exec [\"PROGRAM\", \"ARGUMENT\"] { … }"),
    ("export", "export from INPUT { … }"),
    ("expose", "expose 5000/tcp"),
    ("file", "file \"PATH\" mode 0644 = \"TEXT\""),
    ("hash", "hash sha256:HEX"),
    ("healthcheck", "healthcheck exec [\"PROGRAM\"] interval 30s timeout 5s start-period 10s retries 3"),
    ("image", "image @NAME = \"REFERENCE\""),
    ("include", "include \"PATTERN\""),
    ("interpreter", "interpreter \"PATH\""),
    ("label", "label KEY = \"VALUE\""),
    ("layer", "layer NAME { … }"),
    ("mkdir", "mkdir \"PATH\" mode 0755 owner USER:GROUP"),
    ("mode", "mode 0644"),
    ("mount", "mount INPUT at PATH"),
    ("mount cache", "mount cache NAME at PATH"),
    ("mount secret", "mount secret NAME as env VARIABLE"),
    ("mount ssh", "mount ssh NAME at PATH"),
    ("mount tmpfs", "mount tmpfs at PATH size 64m"),
    ("name", "name \"FILE\""),
    ("network", "network none"),
    ("phase", "phase NAME parallel after PHASE, PHASE"),
    ("platform", "platform linux/amd64"),
    ("provides", "provides WORD"),
    ("python", "python \"3.11\""),
    ("remove", "remove \"PATH\" optional"),
    ("run", "run \"SCRIPT\" { … }"),
    ("secret", "secret NAME optional"),
    ("shell", "shell [\"/bin/bash\", \"-c\"]"),
    ("stage", "stage %NAME in PHASE from INPUT { … }"),
    ("stop-signal", "stop-signal \"SIGTERM\""),
    ("subdir", "subdir \"PATH\""),
    ("suite", "suite \"NAME\""),
    ("symlink", "symlink \"TARGET\" at PATH"),
    ("tag", "tag \"NAME\""),
    ("unset", "unset NAME"),
    ("url", "url \"ADDRESS\""),
    ("user", "user \"NAME\""),
    ("volume", "volume \"PATH\""),
    ("wheel", "wheel \"FILE.whl\" { hash sha256:HEX }"),
    ("workdir", "workdir \"PATH\""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_and_word_has_its_text() {
        for rule in Rule::all_rules() {
            let name = format!("{rule:?}");
            assert_eq!(keyword(*rule).is_some(), name.starts_with("kw_"), "{name}");
            if let Some(word) = keyword(*rule) {
                assert_eq!(format!("kw_{}", word.replace('-', "_")), name);
            }
            if is_keyword(*rule) {
                assert!(keyword(*rule).or(value(*rule)).is_some(), "{name}");
            }
        }
    }
}
