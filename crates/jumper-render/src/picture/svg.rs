//! A picture as SVG: text, so that it stays sharp and can be searched. It holds no script and asks for nothing from elsewhere.

use std::fmt::Write;

use super::{Anchor, Picture, Point, Shape, Text};

/// Inter where the reader has it, else what their system writes with.
const FONTS: &str = "Inter, system-ui, -apple-system, &quot;Segoe UI&quot;, Roboto, &quot;Noto Sans&quot;, sans-serif";

/// Writes the picture.
pub(crate) fn svg(picture: &Picture) -> String {
    let (width, height) = (Number(picture.width), Number(picture.height));
    let title = escaped(&picture.title);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" font-family=\"{FONTS}\">\n<title>{title}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"{}\"/>\n",
        picture.background
    );
    for shape in &picture.shapes {
        write_shape(shape, &mut svg).expect("bug: memory can be written to");
    }
    svg.push_str("</svg>\n");
    svg
}

fn write_shape(shape: &Shape, svg: &mut String) -> std::fmt::Result {
    match shape {
        Shape::Rect { at, size, colour } => writeln!(
            svg,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{colour}\"/>",
            Number(at.0),
            Number(at.1),
            Number(size.0),
            Number(size.1)
        ),
        Shape::Lines {
            lines,
            colour,
            width,
            dashed,
        } => {
            let dashes = match dashed {
                true => " stroke-dasharray=\"5 4\"",
                false => "",
            };
            writeln!(
                svg,
                "<path d=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{}\" stroke-linejoin=\"round\"{dashes}/>",
                path(lines, false),
                Number(*width)
            )
        }
        Shape::Areas {
            areas,
            colour,
            opacity,
        } => writeln!(
            svg,
            "<path d=\"{}\" fill=\"{colour}\" fill-opacity=\"{}\"/>",
            path(areas, true),
            Number(*opacity)
        ),
        Shape::Dots {
            dots,
            radius,
            colour,
        } => {
            for dot in dots {
                writeln!(
                    svg,
                    "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{colour}\"/>",
                    Number(dot.0),
                    Number(dot.1),
                    Number(*radius)
                )?;
            }
            Ok(())
        }
        Shape::Text(text) => write_text(text, svg),
    }
}

fn write_text(text: &Text, svg: &mut String) -> std::fmt::Result {
    let anchor = match text.anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let weight = match text.bold {
        true => " font-weight=\"600\"",
        false => "",
    };
    writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"{anchor}{weight}>{}</text>",
        Number(text.at.0),
        Number(text.at.1),
        Number(text.size),
        text.colour,
        escaped(&text.text)
    )
}

fn path(lines: &[Vec<Point>], closed: bool) -> String {
    let mut path = String::new();
    for line in lines {
        for (index, point) in line.iter().enumerate() {
            let step = if index == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{step}{} {}", Number(point.0), Number(point.1));
        }
        if closed {
            path.push('Z');
        }
    }
    path
}

/// A coordinate, to a hundredth of a pixel.
struct Number(f64);

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{:.2}", self.0);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        f.write_str(if text == "-0" { "0" } else { text })
    }
}

/// Text that is no markup, of the characters that XML has.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                escaped.push('\u{fffd}');
            }
            other => escaped.push(other),
        }
    }
    escaped
}
