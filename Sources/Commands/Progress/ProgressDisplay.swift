import API

/// Puts progress on stderr: a live tree on a terminal, plain lines elsewhere, nothing with `--quiet`.
struct ProgressDisplay {
    enum Style {
        case tree, lines, silent
    }

    private let style: Style
    private let palette: Palette
    private let start = ContinuousClock().now
    private var tree = ProgressTree()
    private var plain = ProgressLines()
    private var drawn = 0
    private var frame = 0
    private var isFinalDrawn = false

    init(_ style: Style) {
        self.style = style
        palette = Terminal.palette(.errors)
    }

    init(_ options: CommonOptions) {
        let draws = options.output == .table && Terminal.canRedraw(.errors)
        self.init(options.quiet ? .silent : draws ? .tree : .lines)
    }

    /// Milliseconds since the watching began.
    var elapsed: Int64 { Int64((ContinuousClock().now - start) / .milliseconds(1)) }

    mutating func show(_ event: EventView) {
        switch style {
        case .silent: break
        case .lines: write(plain.apply(event, elapsed: elapsed))
        case .tree:
            tree.apply(event)
            draw()
        }
    }

    /// Ten times a second: turns the spinner, counts the time.
    mutating func tick() {
        frame += 1
        switch style {
        case .silent: break
        case .lines: write(plain.tick(elapsed: elapsed))
        case .tree: draw()
        }
    }

    /// A remark that stays, such as a lost connection.
    mutating func note(_ text: String) {
        guard style != .silent else { return }
        Terminal.write(
            (style == .tree && drawn > 0 ? "\u{1B}[\(drawn)A\u{1B}[J" : "") + text.visible + "\n", to: .errors)
        drawn = 0
        if style == .tree { draw() }
    }

    /// One write for the whole picture, each line cleared only behind its text, so nothing flickers.
    private mutating func draw() {
        // The final picture is as high as it needs to be, so it cannot be drawn over.
        if tree.isFinal && isFinalDrawn { return }
        isFinalDrawn = tree.isFinal
        let size = Terminal.size(.errors)
        let lines = tree.lines(
            now: Timestamp.now, frame: frame, width: size.width - 1, height: size.height - 1, palette: palette)
        var text = drawn > 0 ? "\r\u{1B}[\(drawn)A" : ""
        for line in lines { text += line + "\u{1B}[K\n" }
        Terminal.write(text + "\u{1B}[J", to: .errors)
        drawn = lines.count
    }

    private func write(_ lines: [String]) {
        if !lines.isEmpty { Terminal.write(lines.map { $0 + "\n" }.joined(), to: .errors) }
    }
}
