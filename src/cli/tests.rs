use clap::CommandFactory as _;

use super::*;

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
        assert_eq!(run(&flags).leader_elect, on, "{flags:?}");
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
