//! The formats of `/metrics`: OpenMetrics for clients that ask for it, else Prometheus's own text
//! format, which every client reads.

/// A format of `/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// Prometheus text format 0.0.4.
    PrometheusText,
}

impl Format {
    /// Returns the format that an Accept header prefers, by its quality values.
    pub fn accepted(header: &str) -> Self {
        let open_metrics = quality(header, "application/openmetrics-text", "1.0.0");
        let text = quality(header, "text/plain", "0.0.4");
        if open_metrics > 0.0 && open_metrics >= text {
            Self::OpenMetrics
        } else {
            Self::PrometheusText
        }
    }

    /// Returns the Content-Type of an answer in this format.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::PrometheusText => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// Returns OpenMetrics text in this format.
    pub fn of_open_metrics(self, text: String) -> String {
        match self {
            Self::OpenMetrics => text,
            Self::PrometheusText => prometheus_text(&text),
        }
    }
}

/// The highest quality that the header gives to a media type of that version, or of any; 0 where
/// it does not name it.
fn quality(header: &str, media_type: &str, version: &str) -> f32 {
    let ranges = header.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        if !parts.next()?.eq_ignore_ascii_case(media_type) {
            return None;
        }
        let mut quality = 1.0;
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.to_ascii_lowercase().as_str() {
                "q" => quality = value.parse().unwrap_or(0.0),
                "version" if value != version => return None,
                _ => {}
            }
        }
        Some(quality)
    });
    ranges.fold(0.0, f32::max)
}

/// In OpenMetrics, HELP and TYPE name a family without its suffix; in the other format they name it
/// as the samples do. It has no units and no EOF.
fn prometheus_text(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = "";
    for line in open_metrics.lines() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            help = described.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some((name, kind)) = typed(line) {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                other => ("", other),
            };
            text.push_str(&format!("# HELP {name}{suffix} {help}\n"));
            text.push_str(&format!("# TYPE {name}{suffix} {kind}\n"));
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn typed(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("# TYPE ")?.split_once(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_served_only_to_a_client_that_prefers_it() {
        use Format::{OpenMetrics, PrometheusText};
        for (header, expected) in [
            // What Prometheus 3 sends by default.
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                OpenMetrics,
            ),
            // Prometheus with scrape_protocols: [PrometheusText0.0.4, OpenMetricsText1.0.0].
            (
                "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.4",
                PrometheusText,
            ),
            ("application/openmetrics-text", OpenMetrics),
            ("Application/OpenMetrics-Text; Q=0.5", OpenMetrics),
            (
                "text/plain;q=0.5, application/openmetrics-text;q=0.5",
                OpenMetrics,
            ),
            ("application/openmetrics-text;q=0", PrometheusText),
            ("application/openmetrics-text;q=high", PrometheusText),
            ("application/openmetrics-text;version=0.0.1", PrometheusText),
            ("text/html,application/xhtml+xml,*/*;q=0.8", PrometheusText),
            ("*/*", PrometheusText),
            ("", PrometheusText),
            (";;,=,q", PrometheusText),
        ] {
            assert_eq!(Format::accepted(header), expected, "{header}");
        }
    }

    #[test]
    fn the_prometheus_text_names_families_as_their_samples() {
        let open_metrics = "\
# HELP requests Requests sent.
# TYPE requests counter
requests_total{code=\"200\"} 3
# HELP build The program that runs.
# TYPE build info
build_info{version=\"1\"} 1
# HELP wait_seconds Time waited.
# TYPE wait_seconds histogram
# UNIT wait_seconds seconds
wait_seconds_sum 0.5
wait_seconds_count 1
wait_seconds_bucket{le=\"+Inf\"} 1
# EOF
";
        let expected = "\
# HELP requests_total Requests sent.
# TYPE requests_total counter
requests_total{code=\"200\"} 3
# HELP build_info The program that runs.
# TYPE build_info gauge
build_info{version=\"1\"} 1
# HELP wait_seconds Time waited.
# TYPE wait_seconds histogram
wait_seconds_sum 0.5
wait_seconds_count 1
wait_seconds_bucket{le=\"+Inf\"} 1
";
        let same = Format::OpenMetrics.of_open_metrics(open_metrics.to_owned());
        assert_eq!(same, open_metrics);
        let text = Format::PrometheusText.of_open_metrics(open_metrics.to_owned());
        assert_eq!(text, expected);
    }
}
