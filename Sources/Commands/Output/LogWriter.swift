import API

/// Log lines of several services, each behind its service's name.
package struct LogWriter: Sendable {
    private let width: Int
    private let index: [String: Int]
    private let palette: Palette
    private let showsTimes: Bool

    /// - Parameter services: those that are expected; they decide the width of the names and their colours.
    package init(services: [String], palette: Palette, showsTimes: Bool = false) {
        self.showsTimes = showsTimes
        width = services.map { DisplayWidth.of($0) }.max() ?? 0
        index = Dictionary(services.sorted().enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        self.palette = palette
    }

    /// With its end of line. The text is the service's own and is left as it is, colours included.
    package func written(_ line: LogLineView, _ format: OutputFormat) throws -> String {
        switch format {
        case .json: return try OutputFormat.line(line)
        case .yaml: return "---\n" + (try OutputFormat.yaml.written(line) { "" })
        case .table:
            let name = DisplayWidth.padded(line.service.visible, to: width)
            let prefix = palette.distinct(index[line.service] ?? 0, name + " |")
            let text =
                ["event", "build"].contains(line.stream) ? palette.dim("[\(line.stream)] " + line.text) : line.text
            let time = showsTimes ? palette.dim(line.time.visible) + " " : ""
            return time + prefix + " " + text + "\n"
        }
    }
}
