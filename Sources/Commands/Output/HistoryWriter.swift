import API

/// What happened to an environment, a line for each.
package struct HistoryWriter: Sendable {
    private let palette: Palette

    package init(palette: Palette) { self.palette = palette }

    /// With its end of line.
    package func written(_ event: HistoryView, _ format: OutputFormat) throws -> String {
        switch format {
        case .json: try OutputFormat.line(event)
        case .yaml: "---\n" + (try OutputFormat.yaml.written(event) { "" })
        case .table: text(event)
        }
    }

    /// `2026-11-20 19:24:05Z  warning    microstax  it will be deleted in 1 h`, with its end of line.
    package func text(_ event: HistoryView) -> String {
        let time = String(event.time.prefix(19)).replacing("T", with: " ") + "Z"
        let kind = DisplayWidth.padded(Self.word(event.kind), to: 9)
        let actor = DisplayWidth.padded((event.actor ?? "-").visible, to: 9)
        let service = event.service.map { $0.visible + ": " } ?? ""
        return palette.dim(time) + "  " + coloured(event.kind, kind) + "  " + palette.dim(actor) + "  " + service
            + event.message.firstLine.visible + "\n"
    }

    private static func word(_ kind: String) -> String {
        switch kind {
        case "executionStarted": "started"
        case "executionEnded": "ended"
        case "deviationFound": "deviation"
        case "deviationMended": "mended"
        default: kind
        }
    }

    private func coloured(_ kind: String, _ text: String) -> String {
        switch kind {
        case "warning", "deviationFound": palette.yellow(text)
        case "deviationMended": palette.green(text)
        case "state": palette.bold(text)
        default: text
        }
    }
}
