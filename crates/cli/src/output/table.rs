//! Columns as Go's `text/tabwriter` lays them out: what scripts around the peer's CLI cut apart.

/// How columns are laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Least width of a column, padding included.
    pub min_width: usize,
    /// Blanks after the widest cell.
    pub padding: usize,
}

/// `tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)`: what nearly every table uses.
pub(crate) const TABLE: Layout = Layout {
    min_width: 0,
    padding: 2,
};

/// Aligns text whose cells end in tabs. A column is a run of neighbouring lines that have a cell there; what follows a line's last tab is no
/// cell and is not aligned.
pub(crate) fn align(text: &str, layout: Layout) -> String {
    let lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
    let mut widths: Vec<Vec<usize>> = lines
        .iter()
        .map(|cells| vec![0; cells.len().saturating_sub(1)])
        .collect();
    let columns = widths.iter().map(Vec::len).max().unwrap_or(0);
    for column in 0..columns {
        let mut start = 0;
        while start < lines.len() {
            let run = widths
                .get(start..)
                .unwrap_or_default()
                .iter()
                .take_while(|w| w.len() > column)
                .count();
            let cell = |line: usize| {
                lines
                    .get(line)
                    .and_then(|cells| cells.get(column))
                    .copied()
                    .unwrap_or_default()
            };
            let widest = (start..start + run)
                .map(|line| cell(line).chars().count() + layout.padding)
                .max()
                .unwrap_or(0);
            for width in widths.iter_mut().skip(start).take(run) {
                if let Some(width) = width.get_mut(column) {
                    *width = widest.max(layout.min_width);
                }
            }
            start += run.max(1);
        }
    }
    let mut out = String::with_capacity(text.len() * 2);
    for (index, (cells, widths)) in lines.iter().zip(&widths).enumerate() {
        if index > 0 {
            out.push('\n');
        }
        for (column, cell) in cells.iter().enumerate() {
            out.push_str(cell);
            if let Some(width) = widths.get(column) {
                out.push_str(&" ".repeat(width.saturating_sub(cell.chars().count())));
            }
        }
    }
    out
}

/// A table of rows with the usual layout; every line ends.
pub(crate) fn table<R: AsRef<[String]>>(header: &[&str], rows: impl IntoIterator<Item = R>) -> String {
    let mut text = header.join("\t");
    text.push('\n');
    for row in rows {
        // A tab or line end inside a cell would move everything after it.
        let cells: Vec<String> = row
            .as_ref()
            .iter()
            .map(|c| c.replace(['\t', '\n', '\r'], " "))
            .collect();
        text.push_str(&cells.join("\t"));
        text.push('\n');
    }
    align(&text, TABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_runs_of_lines_and_the_last_cell_is_free() {
        // Go: the second block's first column is its own.
        assert_eq!(
            align("a\tb\tc\naaa\tbbbb\tc\nno cells\nx\ty\n", TABLE),
            "a    b     c\naaa  bbbb  c\nno cells\nx  y\n"
        );
        assert_eq!(align("\tx\n", TABLE), "  x\n");
        assert_eq!(
            align(
                "ab\tc\n",
                Layout {
                    min_width: 5,
                    padding: 2
                }
            ),
            "ab   c\n"
        );
    }

    #[test]
    fn cells_cannot_break_the_table() {
        assert_eq!(
            table(&["A", "B"], [["x\ty".to_owned(), "line\nline".to_owned()]]),
            "A    B\nx y  line line\n"
        );
    }
}
