//! Line charts in SVG. Pure.

use std::fmt::Write as _;

use crate::table::number;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 56.0;
const COLOURS: [&str; 3] = ["#0b62a4", "#c2410c", "#4d7c0f"];
/// Lines across, without the axis.
const STEPS: u32 = 4;

/// A chart with a logarithmic x axis, and y from 0.
pub struct Chart<'a> {
    pub title: &'a str,
    pub x: &'a str,
    pub y: &'a str,
    /// Values on the x axis, with their labels.
    pub ticks: Vec<(f64, String)>,
    pub lines: Vec<Line<'a>>,
}

/// One line of a chart.
pub struct Line<'a> {
    pub name: &'a str,
    /// x above 0.
    pub points: Vec<(f64, f64)>,
}

/// The ranges of both axes.
struct Scale {
    first: f64,
    last: f64,
    top: f64,
}

impl Scale {
    fn of(chart: &Chart<'_>) -> Self {
        let points = || chart.lines.iter().flat_map(|line| &line.points);
        let first = points().map(|point| point.0).fold(f64::INFINITY, f64::min);
        let last = points().map(|point| point.0).fold(first, f64::max);
        let highest = points().map(|point| point.1).fold(0.0, f64::max);
        Self {
            first,
            last,
            top: rounded_up(highest),
        }
    }

    fn x(&self, value: f64) -> f64 {
        let span = (self.last / self.first).ln();
        let share = match span > 0.0 {
            true => (value / self.first).ln() / span,
            false => 0.5,
        };
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM)
    }
}

/// The next of 1, 2, 4, 6, 8, 10 times a power of ten.
fn rounded_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let factors = [1.0, 2.0, 4.0, 6.0, 8.0];
    let factor = factors.into_iter().find(|factor| factor * power >= value);
    factor.unwrap_or(10.0) * power
}

impl Chart<'_> {
    /// Returns the document.
    pub fn svg(&self) -> String {
        let scale = Scale::of(self);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"12\" fill=\"#222\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
        );
        text(
            &mut svg,
            LEFT,
            20.0,
            "start",
            self.title,
            "font-size=\"15\"",
        );
        text(&mut svg, LEFT, 38.0, "start", self.y, "");
        let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
        text(&mut svg, middle, HEIGHT - 12.0, "middle", self.x, "");
        self.grid(&mut svg, &scale);
        for (number, line) in self.lines.iter().enumerate() {
            line.draw(&mut svg, &scale, number);
        }
        svg + "</svg>\n"
    }

    fn grid(&self, svg: &mut String, scale: &Scale) {
        for step in 0..=STEPS {
            let value = scale.top * f64::from(step) / f64::from(STEPS);
            let (y, end) = (scale.y(value), WIDTH - RIGHT);
            rule(svg, (LEFT, y), (end, y));
            text(svg, LEFT - 6.0, y + 4.0, "end", &number(value), "");
        }
        for (value, label) in &self.ticks {
            let x = scale.x(*value);
            rule(svg, (x, HEIGHT - BOTTOM), (x, HEIGHT - BOTTOM + 4.0));
            text(svg, x, HEIGHT - BOTTOM + 18.0, "middle", label, "");
        }
    }
}

impl Line<'_> {
    fn draw(&self, svg: &mut String, scale: &Scale, number: usize) {
        let colour = COLOURS[number % COLOURS.len()];
        let mut path = String::new();
        for (x, y) in &self.points {
            let (x, y) = (scale.x(*x), scale.y(*y));
            let _ = write!(path, "{x:.1},{y:.1} ");
            let _ = writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
            );
        }
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.trim_end()
        );
        let x = WIDTH - RIGHT - 100.0 * number as f64;
        let fill = format!("style=\"fill:{colour}\"");
        text(svg, x, 38.0, "end", self.name, &fill);
    }
}

fn rule(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#ccc\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, content: &str, more: &str) {
    let content = content.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {more}>{content}</text>"
    );
}
