import API

/// Traces as a list.
package enum TraceTables {
    static let headings = ["TIME", "TRACE", "ROUTE", "SERVICE", "STATUS", "TOOK", "HOPS", "CONTEXT", "NOTES"]

    package static func list(_ traces: [TraceView], palette: Palette) -> String {
        let digits = shortest(traces.map(\.id))
        let table = Table(headings, traces.map { row($0, digits: digits) }).rendered()
        // Colour is put on afterwards: it has no width.
        var lines = table.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for (index, trace) in traces.enumerated() { lines[index + 1] = coloured(lines[index + 1], trace, palette) }
        return lines.joined(separator: "\n")
    }

    static func row(_ trace: TraceView, digits: Int) -> [String] {
        [
            time(trace.startedAt), String(trace.id.prefix(digits)), trace.route, trace.service, status(trace),
            length(trace.durationMilliseconds), String(trace.hops), trace.context ?? "", notes(trace),
        ]
    }

    static func coloured(_ line: String, _ trace: TraceView, _ palette: Palette) -> String {
        if trace.contextLost { return palette.red(line) }
        return trace.errors > 0 || trace.status == nil ? palette.yellow(line) : line
    }

    static func status(_ trace: TraceView) -> String {
        trace.error.map { "\(trace.status ?? 0) \($0)" } ?? trace.status.map { String($0) } ?? "none"
    }

    static func notes(_ trace: TraceView) -> String {
        var notes = trace.leaks.map { leak in
            "LEAK \(leak.caller) → \(leak.service)" + (leak.refused ? " (refused)" : "")
                + (leak.kind == "restored" ? " (restored)" : "")
        }
        if trace.leaks.isEmpty, trace.contextLost { notes.append("LEAK") }
        if trace.errors > 0, trace.hops > 1 { notes.append(trace.errors == 1 ? "1 error" : "\(trace.errors) errors") }
        if trace.caller != "edge" { notes.append("begun by \(trace.caller)") }
        return notes.joined(separator: ", ")
    }

    /// `19:24:05.123` of a timestamp.
    static func time(_ timestamp: String) -> String {
        let time = timestamp.split(separator: "T").last ?? ""
        return String(time.prefix { $0 != "Z" })
    }

    /// As many digits as tell the ids apart, at least eight.
    static func shortest(_ ids: [String]) -> Int {
        let different = Set(ids)
        for digits in 8..<32 where Set(different.map { $0.prefix(digits) }).count == different.count { return digits }
        return 32
    }

    /// `0.4ms`, `12ms`, `1.25s`, `2m05s`.
    package static func length(_ milliseconds: Double) -> String {
        func fixed(_ value: Double, _ digits: Int) -> String {
            let scale = digits == 2 ? 100.0 : digits == 1 ? 10.0 : 1
            let whole = Int64((value * scale).rounded())
            guard digits > 0 else { return String(whole) }
            let fraction = String(whole % Int64(scale))
            return "\(whole / Int64(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
        }
        switch milliseconds {
        case ..<9.95: return fixed(milliseconds, 1) + "ms"
        case ..<999.5: return fixed(milliseconds, 0) + "ms"
        case ..<9_995: return fixed(milliseconds / 1000, 2) + "s"
        case ..<119_950: return fixed(milliseconds / 1000, 1) + "s"
        default: return Timestamp.elapsed(Int64(milliseconds))
        }
    }
}

/// Traces one by one, as they come: columns of a fixed width, as nobody knows what comes later.
package struct TraceLines: Sendable {
    private static let widths = [14, 10, 30, 14, 8, 8, 6, 16]
    private let palette: Palette
    private var hasHeadings = false

    package init(palette: Palette) { self.palette = palette }

    package mutating func written(_ trace: TraceView, _ format: OutputFormat) throws -> String {
        switch format {
        case .json: return try OutputFormat.line(trace)
        case .yaml: return "---\n" + (try OutputFormat.yaml.written(trace) { "" })
        case .table:
            let heading = hasHeadings ? "" : line(TraceTables.headings) + "\n"
            hasHeadings = true
            let row = TraceTables.row(trace, digits: 8).map { $0.isEmpty ? "-" : $0.visible }
            return heading + TraceTables.coloured(line(row), trace, palette) + "\n"
        }
    }

    private func line(_ cells: [String]) -> String {
        var text = ""
        for (index, cell) in cells.enumerated() {
            guard index < Self.widths.count else { return text + cell }
            let width = Self.widths[index]
            text += DisplayWidth.padded(DisplayWidth.truncated(cell, to: width - 1), to: width)
        }
        return text
    }
}
