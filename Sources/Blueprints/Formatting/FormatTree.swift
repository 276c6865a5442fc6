/// Reads how a text is laid out: which lines belong to which key, and which blank lines and comments stand before it.
///
/// Only maps and lists below each other are taken apart. Whatever else stands there (text, `[…]`, `{…}`, aliases) is a
/// leaf, whose lines are moved as they are.
struct FormatTree {
    /// The layout is one that is left alone.
    struct Refusal: Error {
        var why: String
        var line: Int
    }

    /// A blank line, or a comment without its indentation.
    enum Gap: Equatable {
        case blank
        case comment([Unicode.Scalar])
    }

    struct Node {
        enum Kind {
            case leaf(isBlockScalar: Bool)
            case mapping([Entry])
            case sequence([Item])
        }

        var kind: Kind
        var firstLine: Int
        var lastLine: Int
        /// Of the keys or dashes, from 0.
        var column: Int
        /// After the last entry.
        var trailing: [Gap] = []

        var isBlock: Bool { if case .leaf = kind { false } else { true } }
    }

    struct Entry {
        var key: String
        var line: Int
        /// From 0.
        var column: Int
        var leading: [Gap] = []
        var value: Node
    }

    struct Item {
        /// Of the dash.
        var line: Int
        var column: Int
        var leading: [Gap] = []
        var value: Node
    }

    struct Document {
        /// Blank lines, comments, directives and `---` before everything.
        var head: [Int]
        var root: Node
        /// Whether something is named or referred to, so that order matters.
        var hasAnchors: Bool
    }

    private let text: TextLines
    private let events: [YAMLEvent]
    private var position = 0
    private var hasAnchors = false

    init(_ text: TextLines) throws {
        self.text = text
        let strange: Set<Unicode.Scalar> = ["\u{85}", "\u{2028}", "\u{2029}", "\u{FEFF}"]
        for (index, line) in text.lines.enumerated() where line.contains(where: strange.contains) {
            throw Refusal(why: "it has a line break or mark of an unusual kind", line: index + 1)
        }
        var found: [YAMLEvent] = []
        let bytes = Array(text.text.utf8)
        try bytes.withUnsafeBufferPointer { buffer in
            let source = YAMLEvents(buffer)
            while true {
                let event = try source.next()
                found.append(event)
                if case .streamEnd = event.kind { break }
            }
        }
        events = found
    }

    func root() throws -> Document {
        var copy = self
        return try copy.document()
    }

    private mutating func document() throws -> Document {
        while position < events.count {
            if case .documentStart = events[position].kind { break }
            position += 1
        }
        position += 1
        var root = try node(dash: nil)
        guard root.isBlock else { throw Refusal(why: "it is written in one `{…}` or `[…]`", line: root.firstLine) }
        let head = try head(before: root.firstLine)
        root = try root.withTail(gaps(root.lastLine + 1, text.lines.count))
        return Document(head: head, root: root, hasAnchors: hasAnchors)
    }

    private func head(before line: Int) throws -> [Int] {
        let numbers = Array(1..<max(line, 1))
        for number in numbers where !text.isBlank(number) && !text.isComment(number) {
            let start = text.line(number).prefix(3)
            guard start.first == "%" || start.elementsEqual("---".unicodeScalars) else {
                throw Refusal(why: "something stands before the first key", line: number)
            }
        }
        return numbers
    }

    private mutating func next() throws -> YAMLEvent {
        guard position < events.count else { throw Refusal(why: "it ends too soon", line: text.lines.count) }
        position += 1
        let event = events[position - 1]
        if event.anchor != nil { hasAnchors = true }
        if case .alias = event.kind { hasAnchors = true }
        return event
    }

    /// - Parameter dash: the line of the `-` that the value stands behind.
    private mutating func node(dash: Int?) throws -> Node {
        let event = try next()
        switch event.kind {
        case .scalar, .alias: return leaf(event, end: event)
        case .sequenceStart, .mappingStart:
            if event.isFlow { return leaf(event, end: try endOfFlow()) }
            if case .mappingStart = event.kind { return try mapping(dash: dash) }
            return try sequence(dash: dash)
        default: throw Refusal(why: "a value is missing", line: event.line)
        }
    }

    private func leaf(_ start: YAMLEvent, end: YAMLEvent) -> Node {
        var last = end.endColumn == 1 ? max(start.line, end.endLine - 1) : end.endLine
        last = min(last, max(start.line, text.lines.count))
        if start.isBlockScalar {
            // Blank lines behind are none of the text's, unless it keeps them.
            let keeps = text.line(start.line).contains("+")
            while !keeps, last > start.line, text.line(last).isEmpty { last -= 1 }
        }
        return Node(
            kind: .leaf(isBlockScalar: start.isBlockScalar), firstLine: start.line, lastLine: last,
            column: start.column - 1)
    }

    private mutating func endOfFlow() throws -> YAMLEvent {
        var depth = 1
        while true {
            let event = try next()
            switch event.kind {
            case .sequenceStart, .mappingStart: depth += 1
            case .end:
                depth -= 1
                if depth == 0 { return event }
            case .streamEnd: throw Refusal(why: "it ends too soon", line: event.line)
            default: break
            }
        }
    }

    private mutating func mapping(dash: Int?) throws -> Node {
        var entries: [Entry] = []
        while position < events.count {
            if case .end = events[position].kind { break }
            let key = try next()
            guard case .scalar(let name, _) = key.kind, key.endLine == key.line, !key.isBlockScalar else {
                throw Refusal(why: "a key is no plain text", line: key.line)
            }
            let before = text.line(key.line).prefix(key.column - 1)
            let isFirst = entries.isEmpty && dash == key.line
            let isGood = isFirst ? before.allSatisfy { $0 == " " || $0 == "-" } : before.allSatisfy { $0 == " " }
            guard isGood else { throw Refusal(why: "something stands before a key", line: key.line) }
            guard before.count(where: { $0 == "-" }) < 2 else {
                throw Refusal(why: "a list begins in a list", line: key.line)
            }
            let value = try node(dash: nil)
            guard !value.isBlock || value.firstLine > key.line else {
                throw Refusal(why: "a map or list begins in the line of its key", line: key.line)
            }
            entries.append(Entry(key: name, line: key.line, column: key.column - 1, value: value))
            try close(&entries)
            if value.isBlock, let last = entries.indices.last {
                entries[last].value = try value.opened(by: gaps(key.line + 1, value.firstLine - 1))
            }
        }
        _ = try next()
        guard let first = entries.first, let last = entries.last else {
            throw Refusal(why: "a map is empty", line: 1)
        }
        return Node(
            kind: .mapping(entries), firstLine: first.line, lastLine: max(last.line, last.value.lastLine),
            column: first.column)
    }

    /// Gives the gap before the last entry to it, and what of it is indented more to the entry before.
    private func close(_ entries: inout [Entry]) throws {
        guard entries.count > 1 else { return }
        let (before, current) = (entries.count - 2, entries.count - 1)
        let end = max(entries[before].line, entries[before].value.lastLine)
        guard end < entries[current].line else {
            throw Refusal(why: "two keys stand in one line", line: entries[current].line)
        }
        let gap = try gaps(end + 1, entries[current].line - 1)
        let (inner, outer) = Self.split(gap, column: entries[current].column, isBlock: entries[before].value.isBlock)
        entries[before].value = entries[before].value.withTail(inner)
        entries[current].leading = outer.map(\.gap)
    }

    private mutating func sequence(dash: Int?) throws -> Node {
        var items: [Item] = []
        var end = 0
        while position < events.count {
            if case .end = events[position].kind { break }
            // The dash is the last one before the value, in a line of its own or the value's.
            let event = events[position]
            guard let line = dashLine(before: event, after: end) else {
                throw Refusal(why: "an item's `-` is not found", line: event.line)
            }
            let column = text.indent(line)
            guard column < text.line(line).count, text.line(line)[column] == "-" else {
                throw Refusal(why: "an item's `-` is not found", line: line)
            }
            var value = try node(dash: line)
            let isNested = { if case .sequence = value.kind { true } else { false } }()
            guard !(isNested && value.firstLine == line) else {
                throw Refusal(why: "a list begins in a list", line: line)
            }
            if value.isBlock, value.firstLine > line {
                value = try value.opened(by: gaps(line + 1, value.firstLine - 1))
            }
            var item = Item(line: line, column: column, value: value)
            if let last = items.indices.last {
                let gap = try gaps(end + 1, line - 1)
                let (inner, outer) = Self.split(gap, column: column, isBlock: items[last].value.isBlock)
                items[last].value = items[last].value.withTail(inner)
                item.leading = outer.map(\.gap)
            }
            items.append(item)
            end = max(line, value.lastLine)
        }
        _ = try next()
        guard let first = items.first else { throw Refusal(why: "a list is empty", line: 1) }
        if let dash, dash == first.line { throw Refusal(why: "a list begins in a list", line: dash) }
        return Node(kind: .sequence(items), firstLine: first.line, lastLine: end, column: first.column)
    }

    /// The line of the `-` of an item: the value's own, or an earlier one that begins with it.
    private func dashLine(before event: YAMLEvent, after end: Int) -> Int? {
        var line = event.line
        while line > end {
            if !text.isBlank(line), !text.isComment(line) {
                let content = text.line(line).drop { $0 == " " }
                let second = content.dropFirst().first
                let isDash = content.first == "-" && (second == nil || second == " " || second == "\t")
                let isBefore = line < event.line || text.indent(line) < event.column - 1 || content.count == 1
                if isDash, isBefore { return line }
                if line < event.line { return nil }
            }
            line -= 1
        }
        return nil
    }

    /// Blank lines and comments of the lines from `first` to `last`, with the comments' columns.
    private func gaps(_ first: Int, _ last: Int) throws -> [(gap: Gap, column: Int)] {
        guard first <= last else { return [] }
        return try (first...last).map { number in
            if text.isBlank(number) { return (.blank, 0) }
            guard text.isComment(number) else {
                throw Refusal(why: "something stands between two keys", line: number)
            }
            let line = text.line(number)
            let column = line.prefix { $0 == " " || $0 == "\t" }.count
            return (.comment(Array(TextLines.trimmed(line))), column)
        }
    }

    /// The comments at the beginning that are indented more than `column` go inside, the rest stays outside.
    static func split(
        _ gap: [(gap: Gap, column: Int)], column: Int, isBlock: Bool
    ) -> (inner: [(gap: Gap, column: Int)], outer: [(gap: Gap, column: Int)]) {
        guard isBlock else { return ([], gap) }
        var count = 0
        for (index, line) in gap.enumerated() {
            if line.gap == .blank { continue }
            guard line.column > column else { break }
            count = index + 1
        }
        return (Array(gap[..<count]), Array(gap[count...]))
    }
}

extension FormatTree.Node {
    /// With a gap after the last entry, as deep as its comments are indented.
    func withTail(_ gap: [(gap: FormatTree.Gap, column: Int)]) -> Self {
        guard !gap.isEmpty else { return self }
        var result = self
        let lastIsBlock: Bool
        switch kind {
        case .leaf: return self
        case .mapping(let entries): lastIsBlock = entries.last?.value.isBlock ?? false
        case .sequence(let items): lastIsBlock = items.last?.value.isBlock ?? false
        }
        let (inner, outer) = FormatTree.split(gap, column: column, isBlock: lastIsBlock)
        switch kind {
        case .leaf: break
        case .mapping(var entries):
            entries[entries.count - 1].value = entries[entries.count - 1].value.withTail(inner)
            result.kind = .mapping(entries)
        case .sequence(var items):
            items[items.count - 1].value = items[items.count - 1].value.withTail(inner)
            result.kind = .sequence(items)
        }
        result.trailing += outer.map(\.gap)
        return result
    }

    /// With a gap before the first entry.
    func opened(by gap: [(gap: FormatTree.Gap, column: Int)]) -> Self {
        guard !gap.isEmpty else { return self }
        var result = self
        switch kind {
        case .leaf: break
        case .mapping(var entries):
            entries[0].leading = gap.map(\.gap) + entries[0].leading
            result.kind = .mapping(entries)
        case .sequence(var items):
            items[0].leading = gap.map(\.gap) + items[0].leading
            result.kind = .sequence(items)
        }
        return result
    }
}
