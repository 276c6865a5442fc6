import API

/// One trace as a tree of its hops with bars in time, as wide as the terminal.
package struct TraceWaterfall: Sendable {
    private static let shortestBar = 8
    private static let wantedBar = 24
    private static let longestBar = 80
    private static let shortestLabel = 26

    private let width: Int
    private let palette: Palette

    package init(width: Int, palette: Palette) {
        self.width = max(40, width)
        self.palette = palette
    }

    private struct Row {
        var label: String
        var provider: String
        var status: String
        var took: String
        var carrier: String
        var span: SpanView
        /// Before what is said of it on lines of its own.
        var rail: String
    }

    package func written(_ trace: TraceView) -> String {
        let spans = trace.spans ?? []
        let rows = rows(spans)
        var text = headline(trace)
        guard !rows.isEmpty else { return text }
        let columns: [[String]] = [
            ["HOP"] + rows.map(\.label), ["ANSWERED BY"] + rows.map(\.provider), ["STATUS"] + rows.map(\.status),
            ["TOOK"] + rows.map(\.took), ["BY"] + rows.map(\.carrier),
        ]
        var widths = columns.map { $0.map { DisplayWidth.of($0) }.max() ?? 0 }
        let limits = [widths[0], max(16, width / 4), 24, 8, 10]
        for index in widths.indices { widths[index] = min(widths[index], limits[index]) }
        let others = widths.dropFirst().reduce(2) { $0 + $1 + 2 }
        // Names before bars, bars before routes.
        widths[0] = min(widths[0], max(Self.shortestLabel, width - others - Self.wantedBar))
        let bar = min(Self.longestBar, width - others - widths[0])
        let hasBars = bar >= Self.shortestBar
        let scale = hasBars ? "0" + DisplayWidth.padded("", to: bar - 1 - endLabel(trace).count) + endLabel(trace) : ""
        let heading = line(columns.map { $0[0] }, widths) + scale
        text += palette.dim(hasBars ? heading : trimmed(heading)) + "\n"
        for row in rows { text += written(row, widths, bar: hasBars ? bar : 0, trace) }
        return text
    }

    private func endLabel(_ trace: TraceView) -> String { TraceTables.length(trace.durationMilliseconds) }

    private func headline(_ trace: TraceView) -> String {
        var parts = [palette.bold(trace.route.visible), TraceTables.status(trace), endLabel(trace)]
        parts.append(trace.hops == 1 ? "1 hop" : "\(trace.hops) hops")
        parts.append(trace.context.map { "in \($0.visible)" } ?? "in no overlay's context")
        var text = parts.joined(separator: "   ") + "\n"
        text += palette.dim("trace \(trace.id.visible)   \(trace.startedAt.visible)") + "\n"
        for warning in trace.warnings { text += palette.yellow("! " + warning.visible) + "\n" }
        return text + "\n"
    }

    // MARK: Rows

    private func rows(_ spans: [SpanView]) -> [Row] {
        spans.indices.map { index in
            let span = spans[index]
            let parent = spans[..<index].last { $0.depth == span.depth - 1 }
            let isBelow = parent.map { $0.service == span.caller } ?? false
            let name = isBelow ? span.service : "\(span.caller) → \(span.service)"
            let route = "\(span.method) \(span.path)"
            return Row(
                label: (branch(index, spans) + name + (span.attributed ? " ~" : "") + "  " + route).visible,
                provider: provider(span), status: status(span), took: TraceTables.length(span.durationMilliseconds),
                carrier: span.carrier == "none" ? "-" : span.carrier, span: span, rail: rail(index, spans))
        }
    }

    /// `│  ├─ ` before a hop.
    private func branch(_ index: Int, _ spans: [SpanView]) -> String {
        let depth = spans[index].depth
        guard depth > 0 else { return "" }
        let above = (1..<depth).map { goesOn($0, after: index, spans) ? "│  " : "   " }.joined()
        return above + (goesOn(depth, after: index, spans) ? "├─ " : "└─ ")
    }

    /// The lines that pass by below a hop.
    private func rail(_ index: Int, _ spans: [SpanView]) -> String {
        let depth = spans[index].depth
        guard depth > 0 else { return hasChild(index, spans) ? "│  " : "   " }
        let above = (1...depth).map { goesOn($0, after: index, spans) ? "│  " : "   " }.joined()
        return above + (hasChild(index, spans) ? "│  " : "   ")
    }

    private func hasChild(_ index: Int, _ spans: [SpanView]) -> Bool {
        index + 1 < spans.count && spans[index + 1].depth == spans[index].depth + 1
    }

    /// Whether another hop of that depth follows under the same parent.
    private func goesOn(_ depth: Int, after index: Int, _ spans: [SpanView]) -> Bool {
        for span in spans[(index + 1)...] {
            if span.depth < depth { return false }
            if span.depth == depth { return true }
        }
        return false
    }

    private func provider(_ span: SpanView) -> String {
        guard let provider = span.provider else { return "nobody" }
        return "\(provider.environment)#r\(provider.revision)".visible
    }

    private func status(_ span: SpanView) -> String {
        let status = span.status.map { String($0) } ?? "none"
        return span.error.map { "\(status) \($0.visible)" } ?? (span.broken ? status + " broke off" : status)
    }

    // MARK: Lines

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        zip(cells, widths).map { cell, width in
            DisplayWidth.padded(DisplayWidth.truncated(cell, to: width), to: width + 2)
        }.joined()
    }

    private func written(_ row: Row, _ widths: [Int], bar: Int, _ trace: TraceView) -> String {
        let cells = [row.label, row.provider, row.status, row.took, row.carrier].enumerated().map { index, cell in
            DisplayWidth.padded(DisplayWidth.truncated(cell, to: widths[index]), to: widths[index] + 2)
        }
        let isError = (row.span.status ?? 0) >= 500 || row.span.status == nil || row.span.error != nil
        let isOverlay = row.span.provider.map { $0.environment == trace.context } ?? false
        var text = cells[0] + (isOverlay ? palette.cyan(cells[1]) : cells[1])
        text += (isError ? palette.red(cells[2]) : cells[2]) + cells[3] + palette.dim(cells[4])
        if bar > 0 {
            let drawn = drawn(row.span, bar, trace.durationMilliseconds)
            let colour = row.span.leak != nil || isError
            text += colour ? palette.red(drawn) : isOverlay ? palette.cyan(drawn) : palette.green(drawn)
        }
        return trimmed(text) + "\n" + notes(row)
    }

    private func trimmed(_ text: String) -> String {
        var text = text
        while text.last == " " { text.removeLast() }
        return text
    }

    /// Where the hop lies in the trace's time, in eighths of a column.
    private func drawn(_ span: SpanView, _ columns: Int, _ whole: Double) -> String {
        guard whole > 0 else { return "█" }
        let start = min(Double(columns) - 0.125, span.offsetMilliseconds / whole * Double(columns))
        let length = min(span.durationMilliseconds / whole * Double(columns), Double(columns) - start)
        let first = Int(start)
        let eighths = max(1, Int((length * 8).rounded()))
        let full = eighths / 8
        let rest = eighths % 8
        let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][rest]
        let bar = String(repeating: "█", count: min(full, columns - first)) + (full < columns - first ? partial : "")
        return String(repeating: " ", count: first) + bar
    }

    /// What is wrong with a hop, on lines of its own.
    private func notes(_ row: Row) -> String {
        let span = row.span
        var notes: [String] = []
        switch span.leak {
        case "restored":
            notes.append("LEAK \(span.caller) dropped the context; it was put back from the only request it answered")
        case .some where span.leakRefused:
            notes.append("LEAK \(span.caller) dropped the context; the call was refused")
        case .some: notes.append("LEAK \(span.caller) dropped the context; the wrong copy may have answered")
        case nil: break
        }
        if span.leak != nil { notes.append("     it must forward x-msx-env, or baggage, tracestate, traceparent") }
        if span.carriersDisagree { notes.append("its carriers named different contexts; \(span.carrier) won") }
        if span.attempts > 1 { notes.append("\(span.attempts) connections were tried") }
        return notes.map { note in
            palette.dim(row.rail) + (span.leak != nil ? palette.red(note.visible) : palette.yellow(note.visible)) + "\n"
        }.joined()
    }
}
