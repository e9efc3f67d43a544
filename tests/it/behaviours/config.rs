//! 42–60: the image config.

use cogpack_tests::plans::{config_and_listing, errors};
use serde_json::{Value, json};

/// The config of a plan whose base has PATH and BASE, a working directory and a user.
fn config_of(stages: &str, export: &str) -> Value {
    document_of(stages, export)["config"].clone()
}

fn document_of(stages: &str, export: &str) -> Value {
    let text = format!(
        "cpk 1\nimage @i = \"base\"\n  env PATH = \"/usr/bin\"\n  env BASE = \"base\"\n  workdir \"/base\"\n  user \"someone\"\n  entrypoint [\"/entry\"]\n  label inherited = \"yes\"\nimage @bare = \"bare\"\n  config empty\n{stages}\nexport from {export}\n"
    );
    config_and_listing(&text).0
}

fn env_of(stages: &str) -> Vec<String> {
    let config = config_of(stages, "%a");
    let env = config["Env"].as_array().expect("there is an environment");
    env.iter().map(|entry| entry.as_str().expect("is text").to_owned()).collect()
}

const TOUCH: &str = "mkdir \"/x\"";

#[test]
fn b42_the_environment_of_the_base_is_kept() {
    assert_eq!(env_of(&format!("stage %a from image @i {{ {TOUCH} }}")), ["PATH=/usr/bin", "BASE=base"]);
}

#[test]
fn b43_new_variables_stand_behind_those_of_the_base() {
    let env = env_of(&format!("stage %a from image @i {{ {TOUCH} env NEW = \"1\" }}"));
    assert_eq!(env, ["PATH=/usr/bin", "BASE=base", "NEW=1"]);
}

/// The changed variable moved to the end; it keeps its place here, as in Docker's builders.
#[test]
fn b44_a_stage_overrides_a_variable_of_the_base_in_its_place() {
    let env = env_of(&format!("stage %a from image @i {{ {TOUCH} env PATH = \"/a\" }}"));
    assert_eq!(env, ["PATH=/a", "BASE=base"]);
}

#[test]
fn b45_a_later_stage_overrides_an_earlier_one() {
    let env = env_of(&format!(
        "stage %first from image @i {{ env V = \"1\" }}\nstage %a from %first {{ {TOUCH} env V = \"2\" }}"
    ));
    assert_eq!(env, ["PATH=/usr/bin", "BASE=base", "V=2"]);
}

#[test]
fn b46_the_environment_of_a_branch_that_is_only_copied_from_is_not_taken() {
    let env = env_of(
        "stage %branch from scratch { env LOST = \"1\" file \"/f\" = \"f\" }\nstage %a from image @i { copy \"/f\" from %branch to \"/f\" }",
    );
    assert_eq!(env, ["PATH=/usr/bin", "BASE=base"]);
}

#[test]
fn b47_what_an_op_sets_is_in_the_config() {
    let env = env_of("stage %a from image @bare { file \"/f\" = \"f\" env LAST = \"1\" }");
    assert_eq!(env, ["LAST=1"]);
}

#[test]
fn b48_without_any_working_directory_it_is_the_root() {
    let workdir = config_of(&format!("stage %a from image @bare {{ {TOUCH} }}"), "%a")["WorkingDir"].clone();
    assert!(workdir.is_null() || workdir == "/", "{workdir}");
}

#[test]
fn b49_the_working_directory_of_the_base_is_kept() {
    assert_eq!(config_of(&format!("stage %a from image @i {{ {TOUCH} }}"), "%a")["WorkingDir"], "/base");
}

#[test]
fn b50_a_stage_overrides_the_working_directory() {
    assert_eq!(config_of("stage %a from image @i { workdir \"/mine\" }", "%a")["WorkingDir"], "/mine");
}

#[test]
fn b51_a_later_stage_overrides_the_working_directory_again() {
    let config = config_of(
        "stage %first from image @i { workdir \"/first\" }\nstage %a from %first { workdir \"/second\" }",
        "%a",
    );
    assert_eq!(config["WorkingDir"], "/second");
}

#[test]
fn b52_the_working_directory_of_a_branch_is_not_taken() {
    let config = config_of(
        "stage %branch from scratch { workdir \"/lost\" file \"/f\" = \"f\" }\nstage %a from image @i { copy \"/f\" from %branch to \"/f\" }",
        "%a",
    );
    assert_eq!(config["WorkingDir"], "/base");
}

#[test]
fn b53_the_working_directory_of_the_export_wins() {
    let config = config_of("stage %a from image @i { workdir \"/mine\" }", "%a { workdir \"/last\" }");
    assert_eq!(config["WorkingDir"], "/last");
}

fn platform_of(platform: &str, base: &str) -> (Value, String) {
    let text = format!(
        "cpk 1\nplatform {platform}\nimage @i = \"base\"\n  config empty\nstage %a from {base} {{ {TOUCH} }}\nexport from %a\n"
    );
    config_and_listing(&text)
}

#[test]
fn b54_the_platform_of_the_plan_is_that_of_the_config() {
    let (config, _) = platform_of("linux/riscv64", "scratch");
    assert_eq!((&config["os"], &config["architecture"]), (&json!("linux"), &json!("riscv64")));
}

/// The platform of whatever base there was used to be taken over. It is the plan's to say here,
/// and the base is asked for with it.
#[test]
fn b55_b56_the_base_is_asked_for_with_the_platform_of_the_plan() {
    let (config, listing) = platform_of("linux/arm/v7", "image @i");
    assert_eq!((&config["architecture"], &config["variant"]), (&json!("arm"), &json!("v7")));
    assert!(listing.contains("linux/arm/v7"), "{listing}");
}

#[test]
fn b57_the_export_sets_the_user() {
    assert_eq!(
        config_of(&format!("stage %a from image @i {{ {TOUCH} }}"), "%a { user \"1000:1000\" }")["User"],
        "1000:1000"
    );
}

#[test]
fn b58_the_export_sets_entry_point_and_command() {
    let config = config_of(
        &format!("stage %a from image @i {{ {TOUCH} }}"),
        "%a { entrypoint [\"python\"] cmd [\"-m\", \"http.server\"] }",
    );
    assert_eq!(config["Entrypoint"], json!(["python"]));
    assert_eq!(config["Cmd"], json!(["-m", "http.server"]));
}

/// All else of the base's config used to be lost, its labels among it.
#[test]
fn b59_the_export_adds_labels_to_those_of_the_base() {
    let config = config_of(&format!("stage %a from image @i {{ {TOUCH} }}"), "%a { label mine = \"a b\" }");
    assert_eq!(config["Labels"], json!({"inherited": "yes", "mine": "a b"}));
    assert_eq!(config["Entrypoint"], json!(["/entry"]));
    assert_eq!(config["User"], "someone");
}

#[test]
fn b60_the_export_opens_ports_of_both_protocols() {
    let config =
        config_of(&format!("stage %a from image @i {{ {TOUCH} }}"), "%a { expose 5000/tcp expose 53/udp }");
    assert_eq!(config["ExposedPorts"], json!({"5000/tcp": {}, "53/udp": {}}));
    let codes = errors("cpk 1\nstage %a from scratch\nexport from %a { expose 0/tcp }");
    assert!(!codes.is_empty(), "port 0 is no port");
}
