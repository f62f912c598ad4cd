//! Holds `docs/unaudited.md` to what is answered without a record: routes, commands, and reasons of refusals.

use crate::{
    admin::{CLOCK_PATH, Route},
    control::protocol::Command,
};

const PAGE: &str = include_str!("../../../docs/unaudited.md");

/// The names in the first column of a section's table, in order.
fn listed(section: &str) -> Vec<&'static str> {
    let (_, rest) = PAGE.split_once(&format!("## {section}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

#[test]
fn every_route_of_the_admin_listener_is_listed() {
    let mut served: Vec<&str> = Route::ALL.into_iter().map(Route::path).collect();
    served.push(CLOCK_PATH);
    assert_eq!(listed("Admin listener"), served);
}

#[test]
fn every_command_of_the_control_socket_is_listed() {
    // serde tells what it would have understood.
    let error = serde_json::from_str::<Command>(r#"{"command":"?"}"#).err().unwrap().to_string();
    let (_, expected) = error.split_once("expected one of ").unwrap();
    let understood: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    assert_eq!(listed("Control socket"), understood);
    for name in understood {
        let logged = format!("=> \"{name}\",");
        assert!(include_str!("control/protocol.rs").contains(&logged), "{name}");
    }
}

#[test]
fn every_reason_of_a_refusal_is_listed() {
    // The function that names them is exhaustive, so that its source has each of them.
    let counted: Vec<&str> = include_str!("refusals.rs")
        .lines()
        .filter_map(|line| line.split_once(" => \"")?.1.strip_suffix("\","))
        .collect();
    assert_eq!(listed("Requests that never became whole"), counted);
}
