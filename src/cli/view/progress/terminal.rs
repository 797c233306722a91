//! Drawing some lines again and again at the same place, below all that stays.

use std::io::{self, Write};

use anstream::adapter::strip_str;

use super::live::{Line, Size};

/// A terminal, as `main` has found it.
pub struct Terminal {
    /// Understands escape sequences, whatever is said of colours.
    pub out: Box<dyn Write>,
    /// Asked anew for each drawing: people resize windows. `None` where the terminal does not say.
    pub size: fn() -> Option<(u16, u16)>,
    pub is_coloured: bool,
}

/// Where a terminal does not say how large it is.
const USUAL: Size = Size { columns: 80, rows: 24 };

/// Some lines that are drawn anew as they change. Below them is the cursor, on a line of its own: whatever ends the program,
/// what the shell says next stands there.
pub struct Canvas<'a> {
    terminal: &'a mut Terminal,
    /// The widths of the lines that are to be drawn over.
    drawn: Vec<usize>,
}

impl<'a> Canvas<'a> {
    pub fn new(terminal: &'a mut Terminal) -> Self {
        Self { terminal, drawn: Vec::new() }
    }

    pub fn size(&self) -> Size {
        match (self.terminal.size)() {
            Some((columns, rows)) if columns > 0 && rows > 0 => Size { columns: columns.into(), rows: rows.into() },
            Some(_) | None => USUAL,
        }
    }

    /// Puts `above` where it stays, and draws the lines below it anew.
    pub fn draw(&mut self, above: &[String], lines: &[Line]) -> io::Result<()> {
        let text = self.frame(above, lines);
        self.terminal.out.write_all(text.as_bytes())?;
        self.terminal.out.flush()
    }

    fn frame(&mut self, above: &[String], lines: &[Line]) -> String {
        let columns = self.size().columns;
        // A window that has become narrower has broken what was drawn into more rows.
        let rows: usize = self.drawn.iter().map(|width| width.div_ceil(columns).max(1)).sum();
        self.drawn = lines.iter().map(Line::width).collect();
        // The whole frame shows at once, where the terminal knows how.
        let mut frame = "\x1b[?2026h\r".to_owned();
        if rows > 0 {
            frame.push_str(&format!("\x1b[{rows}A"));
        }
        frame.push_str("\x1b[J");
        for line in above {
            let plain = || strip_str(line).to_string();
            frame.push_str(&if self.terminal.is_coloured { line.clone() } else { plain() });
            frame.push('\n');
        }
        for line in lines {
            frame.push_str(&if self.terminal.is_coloured { line.coloured() } else { line.plain() });
            frame.push('\n');
        }
        frame.push_str("\x1b[?2026l");
        frame
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::cli::view::palette::{Role, paint};

    /// What was written, for a terminal that shows it.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no test goes on after a panic").extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        /// The screen, as the driver of a terminal fills it.
        fn screen(&self) -> String {
            let mut parser = vt100::Parser::new(8, 20, 100);
            let text = String::from_utf8(self.0.lock().expect("no test goes on after a panic").clone()).expect("text");
            parser.process(text.replace('\n', "\r\n").as_bytes());
            parser.screen().contents()
        }
    }

    fn draw(is_coloured: bool, frames: &[(&[&str], &[&str])]) -> Written {
        let written = Written::default();
        let mut terminal = Terminal { out: Box::new(written.clone()), size: || Some((20, 8)), is_coloured };
        let mut canvas = Canvas::new(&mut terminal);
        for (above, lines) in frames {
            let above: Vec<String> = above.iter().map(|line| paint(Role::Created, line).to_string()).collect();
            let lines: Vec<Line> = lines.iter().map(|line| Line::from(*line)).collect();
            canvas.draw(&above, &lines).expect("memory takes everything");
        }
        written
    }

    #[test]
    fn what_is_below_is_drawn_over_and_what_is_above_stays() {
        let written =
            draw(true, &[(&[], &["one", "bar"]), (&["done"], &["two", "three", "bar"]), (&["again"], &["bar"])]);
        assert_eq!(written.screen(), "done\nagain\nbar");
        let written = draw(true, &[(&[], &["one", "bar"]), (&["done"], &[])]);
        assert_eq!(written.screen(), "done");
    }

    #[test]
    fn what_is_above_may_take_more_than_a_row() {
        let long = "a message that is longer than a row";
        let written = draw(true, &[(&[], &["bar"]), (&[long], &["bar"]), (&[], &["bar"])]);
        assert_eq!(written.screen(), format!("{long}\nbar"));
    }

    #[test]
    fn without_colours_lines_are_still_drawn_over() {
        let written = draw(false, &[(&[], &["one", "bar"]), (&["done"], &["bar"])]);
        assert_eq!(written.screen(), "done\nbar");
        let bytes = String::from_utf8(written.0.lock().expect("no test goes on after a panic").clone()).expect("text");
        assert!(!bytes.contains('m'), "{bytes:?}");
    }

    #[test]
    fn a_window_that_has_become_narrower_is_cleared_of_the_rows_that_its_lines_have_become() {
        let mut terminal = Terminal { out: Box::new(Written::default()), size: || Some((10, 8)), is_coloured: false };
        let mut canvas = Canvas { terminal: &mut terminal, drawn: vec![19, 19, 3] };
        assert!(canvas.frame(&[], &[]).contains("\x1b[5A"), "two rows, two rows and one");
    }
}
