/// Rows under headings, aligned by columns as a terminal shows them; nothing stands behind the last word of a line.
package struct Table: Sendable, Hashable {
    private let headings: [String]
    private let rows: [[String]]

    /// - Parameter rows: one text for each heading; an empty one is shown as `-`.
    package init(_ headings: [String], _ rows: [[String]]) {
        self.headings = headings
        self.rows = rows.map { row in row.map { $0.isEmpty ? "-" : $0.visible } }
    }

    /// Every line with its end.
    package func rendered() -> String {
        let lines = [headings] + rows
        var widths = [Int](repeating: 0, count: headings.count)
        for line in lines {
            for (column, text) in line.enumerated() { widths[column] = max(widths[column], DisplayWidth.of(text)) }
        }
        return lines.map { line in
            var text = ""
            for (column, cell) in line.enumerated() {
                text += column == line.count - 1 ? cell : DisplayWidth.padded(cell, to: widths[column] + 2)
            }
            return text + "\n"
        }.joined()
    }
}
