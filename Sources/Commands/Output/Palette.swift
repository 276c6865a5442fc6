/// Colours, or none: only a terminal that wants them gets them.
package struct Palette: Sendable, Hashable {
    package static let plain = Palette(isColoured: false)

    /// For telling services apart; red is left to errors.
    private static let wheel = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94]

    package let isColoured: Bool

    package init(isColoured: Bool) { self.isColoured = isColoured }

    /// Colours where `isTerminal`, unless `NO_COLOR` (https://no-color.org) or `TERM=dumb` says otherwise.
    package init(isTerminal: Bool, environment: [String: String]) {
        let refused = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        isColoured = isTerminal && !refused && environment["TERM"] != "dumb"
    }

    package func bold(_ text: String) -> String { coded(1, text) }
    package func dim(_ text: String) -> String { coded(2, text) }
    package func red(_ text: String) -> String { coded(31, text) }
    package func green(_ text: String) -> String { coded(32, text) }
    package func yellow(_ text: String) -> String { coded(33, text) }
    package func cyan(_ text: String) -> String { coded(36, text) }

    /// The `index`-th of the colours that tell services apart.
    package func distinct(_ index: Int, _ text: String) -> String {
        coded(Self.wheel[index % Self.wheel.count], text)
    }

    private func coded(_ code: Int, _ text: String) -> String {
        isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
