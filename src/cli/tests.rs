use clap::CommandFactory as _;

use super::values::{InvalidName, duration, lease_name, namespace};
use super::*;
use index_restore_operator::runtime::telemetry::LogLevel;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn parses_durations_and_explains_invalid_ones() {
    assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
    assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
    for bad in ["", "5", "-3s", "0s", "soon"] {
        assert!(
            duration(bad).is_err_and(|error| error.to_string().contains("30s")),
            "{bad}"
        );
    }
}

fn run(flags: &[&str]) -> Box<RunArgs> {
    let words = ["index-restore-operator", "run"].iter().chain(flags);
    match Cli::try_parse_from(words).unwrap().command {
        Command::Run(args) => args,
        other => panic!("{other:?}"),
    }
}

#[test]
fn leader_election_is_enabled_by_default() {
    for (flags, on) in [
        (vec![], true),
        (vec!["--leader-elect"], true),
        (vec!["--leader-elect=true"], true),
        (vec!["--leader-elect=false"], false),
    ] {
        assert_eq!(run(&flags).election.leader_elect, on, "{flags:?}");
    }
}

#[test]
fn rejects_contradictory_intervals_of_leader_election() {
    assert!(run(&[]).timing().is_ok());
    for (flag, other) in [
        ("--leader-elect-lease-duration=10s", "-renew-deadline"),
        ("--leader-elect-renew-deadline=15s", "-lease-duration"),
        ("--leader-elect-renew-deadline=2s", "-retry-period"),
        ("--leader-elect-retry-period=10s", "-renew-deadline"),
    ] {
        let error = run(&[flag]).timing().unwrap_err().to_string();
        let named = flag.split('=').next().unwrap();
        assert!(error.contains(named) && error.contains(other), "{error}");
    }
}

#[test]
fn rejects_a_poll_min_above_poll_max() {
    let parse = |flags: &[&str]| run(flags).rules().map(|rules| rules.intervals.poll_max);
    assert_eq!(parse(&[]), Ok(Duration::from_secs(60)));
    let long = parse(&["--request-timeout", "175s"])
        .unwrap_err()
        .to_string();
    assert!(long.contains("shorter than 175 s"), "{long}");
    assert!(parse(&["--request-timeout", "174s"]).is_ok());
    assert!(
        parse(&["--poll-min", "2m"])
            .unwrap_err()
            .to_string()
            .contains("--poll-min")
    );
}

#[test]
fn accepts_only_names_that_kubernetes_accepts() {
    for good in ["", "a", "team-1"] {
        assert_eq!(namespace(good).as_deref(), Ok(good));
    }
    let long = "a".repeat(64);
    for bad in ["Team", "team_1", "-a", "a-", "a.b", " ", &long] {
        assert_eq!(namespace(bad), Err(InvalidName), "{bad}");
    }
    assert_eq!(lease_name("a.b-c").as_deref(), Ok("a.b-c"));
    for bad in ["", "a..b", "A"] {
        assert_eq!(lease_name(bad), Err(InvalidName), "{bad}");
    }
}

#[test]
fn accepts_levels_and_directives_of_the_log() {
    for good in ["info", "WARN", "off", "info,kube=debug", "kube=debug"] {
        assert!(good.parse::<LogLevel>().is_ok(), "{good}");
    }
    for bad in ["", "inof", "info,kube", "kube=loud", "info,"] {
        assert!(bad.parse::<LogLevel>().is_err(), "{bad}");
    }
}

#[test]
fn finds_the_log_format_of_a_command_line_that_cannot_be_parsed() {
    let format = |line: &str, variable: Option<&str>| {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        log_format(&words, variable.map(OsStr::new))
    };
    let (json, text) = (Some(LogFormat::Json), Some(LogFormat::Text));
    assert_eq!(
        format("operator run --log-format=json --nonsense", None),
        json
    );
    assert_eq!(
        format("operator run --nonsense --log-format json", None),
        json
    );
    assert_eq!(format("operator run --nonsense", Some("json")), json);
    assert_eq!(format("operator run --log-format=text", Some("json")), text);
    assert_eq!(format("operator run --log-format=yaml", None), text);
    assert_eq!(format("operator run --log-format", None), text);
    assert_eq!(format("operator rum --log-format=json", Some("json")), None);
}

#[test]
fn reports_what_clap_rejects_in_one_line_with_its_tip() {
    let line = |flag: &str| {
        let words = ["index-restore-operator", "run", flag];
        one_line(&Cli::try_parse_from(words).unwrap_err())
    };
    assert_eq!(
        line("--pol-min=5s"),
        "unexpected argument '--pol-min' found; tip: a similar argument exists: '--poll-min'"
    );
    assert_eq!(
        line("--poll-min=5"),
        "invalid value '5' for '--poll-min <DURATION>': must be a duration above zero, such as 500ms, 30s or 2m"
    );
    assert_eq!(
        line("--log-format=yaml"),
        "invalid value 'yaml' for '--log-format <FORMAT>' [possible values: text, json]"
    );
}

#[test]
fn every_flag_has_a_heading_and_a_variable_with_the_prefix() {
    let cli = Cli::command();
    let run = cli.find_subcommand("run").unwrap();
    let mut headings = Vec::new();
    for flag in run.get_arguments() {
        let name = flag.get_long().unwrap().to_uppercase().replace('-', "_");
        let variable = flag.get_env().unwrap().to_str().unwrap();
        assert_eq!(variable, format!("INDEX_RESTORE_{name}"));
        if !flag.is_hide_set() {
            headings.push(flag.get_help_heading().unwrap());
        }
    }
    headings.dedup();
    let expected = [
        "Pinecone",
        "Watching",
        "Polling",
        "Leader election",
        "Serving and logging",
    ];
    assert_eq!(headings, expected);
}

#[test]
fn the_reference_lists_the_exit_codes_of_the_help() {
    let reference = include_str!("../../docs/reference.md");
    let codes = EXIT_CODES.lines().skip(1);
    let codes: Vec<_> = codes
        .filter_map(|line| line.trim().split_once("  "))
        .collect();
    assert_eq!(codes.len(), 3);
    for (code, meaning) in codes {
        let row = format!("| {code} | {meaning} |");
        assert!(reference.contains(&row), "no row {row}");
    }
}

#[test]
fn the_reference_lists_every_flag_with_its_variable_and_default() {
    let reference = include_str!("../../docs/reference.md");
    let cli = Cli::command();
    let run = cli.find_subcommand("run").unwrap();
    for flag in run.get_arguments().filter(|flag| !flag.is_hide_set()) {
        let (Some(long), Some(env)) = (flag.get_long(), flag.get_env()) else {
            continue;
        };
        let default = flag.get_default_values().first();
        let default = default.map(|value| format!("`{}`", value.to_string_lossy()));
        let row = format!("| `--{long}` | `{}` |", env.to_string_lossy());
        let line = reference.lines().find(|line| line.starts_with(&row));
        let line = line.unwrap_or_else(|| panic!("no row begins with {row}"));
        assert!(line.contains(&default.unwrap_or_default()), "{line}");
    }
}
