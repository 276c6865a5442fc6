/// Builds the located tree of one document from events, within limits.
struct TreeBuilder {
    /// Ends the building; the diagnostic says why and where.
    struct Refusal: Error {
        var diagnostic: Diagnostic
    }

    private struct Anchor {
        var value: LocatedValue
        var nodes: Int
        var textBytes: Int
        var depth: Int
    }

    private let events: YAMLEvents
    private let file: SourceFile
    private let limits: ReaderLimits
    private var nodes = 0
    private var textBytes = 0
    private var anchors: [String: Anchor] = [:]
    private var openAnchors: Set<String> = []
    /// Whether tags that mean nothing here are passed over, as Compose's own are: `!reset` makes a value nothing, and that
    /// and `!override` make it replace what lies below (``LocatedValue/replacesLower``).
    var dropsTags = false
    /// Problems that do not end the building.
    private(set) var diagnostics: [Diagnostic] = []

    init(events: YAMLEvents, file: SourceFile, limits: ReaderLimits) {
        self.events = events
        self.file = file
        self.limits = limits
    }

    /// The only document of the stream; `nil` where there is none.
    mutating func document() throws -> LocatedValue? {
        var root: LocatedValue?
        while true {
            let event = try events.next()
            switch event.kind {
            case .streamEnd:
                return root
            case .documentStart where root != nil:
                throw refusal("several_documents", "a second document starts here; a Blueprint is one document", event)
            case .documentStart:
                root = try node(try events.next(), depth: 1).value
            default:
                continue
            }
        }
    }

    /// A value with the number of levels that it has.
    private mutating func node(_ event: YAMLEvent, depth: Int) throws -> (value: LocatedValue, levels: Int) {
        guard dropsTags, let tag = event.tag, tag.hasPrefix("!") else { return try tagged(event, depth: depth) }
        var event = event
        event.tag = nil
        var result = try tagged(event, depth: depth)
        if tag == "!reset" { result.value.content = .null }
        result.value.replacesLower = tag == "!reset" || tag == "!override"
        return result
    }

    private mutating func tagged(_ event: YAMLEvent, depth: Int) throws -> (value: LocatedValue, levels: Int) {
        let at = location(event)
        let nodesBefore = nodes
        let bytesBefore = textBytes
        try count(nodes: 1, textBytes: 0, event)
        if let anchor = event.anchor { openAnchors.insert(anchor) }
        let value: LocatedValue
        var levels = 0
        switch event.kind {
        case .alias(let name): return try alias(name, event, depth: depth)
        case .scalar(let text, let isPlain):
            try count(nodes: 0, textBytes: text.utf8.count, event)
            value = LocatedValue(try scalar(text, isPlain: isPlain, event), at: at)
        case .sequenceStart:
            try check(event, isTagged: ["seq"], depth: depth)
            (value, levels) = try sequence(at, depth: depth)
        case .mappingStart:
            try check(event, isTagged: ["map"], depth: depth)
            (value, levels) = try mapping(at, depth: depth)
        default:
            throw refusal("yaml_syntax", "a value is missing here", event)
        }
        if let name = event.anchor {
            openAnchors.remove(name)
            anchors[name] = Anchor(
                value: value, nodes: nodes - nodesBefore, textBytes: textBytes - bytesBefore, depth: levels)
        }
        return (value, levels)
    }

    private mutating func sequence(_ at: SourceLocation, depth: Int) throws -> (LocatedValue, Int) {
        var items: [LocatedValue] = []
        var levels = 1
        while true {
            let event = try events.next()
            if case .end = event.kind { return (LocatedValue(.sequence(items), at: at), levels) }
            let (item, below) = try node(event, depth: depth + 1)
            items.append(item)
            levels = max(levels, below + 1)
        }
    }

    private mutating func mapping(_ at: SourceLocation, depth: Int) throws -> (LocatedValue, Int) {
        var entries: [LocatedValue.Entry] = []
        var merged: [LocatedValue] = []
        var places: [String: SourceLocation] = [:]
        var levels = 1
        while true {
            let event = try events.next()
            if case .end = event.kind { break }
            let (key, _) = try node(event, depth: depth + 1)
            let (value, below) = try node(try events.next(), depth: depth + 1)
            levels = max(levels, below + 1)
            guard let text = key.isNull ? "" : key.text else {
                report("wrong_type", "a key must be text, not \(key.kindName)", key.location)
                continue
            }
            if text == "<<", case .scalar(_, isPlain: true) = event.kind {
                merged.append(value)
            } else if let first = places[text] {
                report("duplicate_key", "`\(shortened(text))` is already set in line \(first.line)", location(event))
            } else {
                places[text] = location(event)
                entries.append(.init(key: text, location: location(event), value: value))
            }
        }
        for value in merged { try merge(value, into: &entries, places: &places) }
        return (LocatedValue(.mapping(entries), at: at), levels)
    }

    /// `<<: *anchor`: what the map does not say itself comes from the named map or maps.
    private mutating func merge(
        _ value: LocatedValue, into entries: inout [LocatedValue.Entry], places: inout [String: SourceLocation]
    ) throws {
        switch value.content {
        case .mapping(let more):
            for entry in more where places[entry.key] == nil {
                places[entry.key] = entry.location
                entries.append(entry)
            }
        case .sequence(let maps) where maps.allSatisfy({ if case .mapping = $0.content { true } else { false } }):
            for map in maps { try merge(map, into: &entries, places: &places) }
        default:
            report("wrong_type", "`<<` takes a map or a list of maps, not \(value.kindName)", value.location)
        }
    }

    private mutating func alias(
        _ name: String, _ event: YAMLEvent, depth: Int
    ) throws -> (value: LocatedValue, levels: Int) {
        guard let anchor = anchors[name] else {
            let isOpen = openAnchors.contains(name)
            throw refusal(
                isOpen ? "recursive_alias" : "unknown_alias",
                isOpen
                    ? "`*\(shortened(name))` stands inside of what it names" : "nothing is named `&\(shortened(name))`",
                event)
        }
        try count(nodes: anchor.nodes, textBytes: anchor.textBytes, event)
        guard depth + anchor.depth - 1 <= limits.depth else { throw tooDeep(event) }
        return (anchor.value, anchor.depth)
    }

    private mutating func count(nodes more: Int, textBytes moreBytes: Int, _ event: YAMLEvent) throws {
        nodes += more
        textBytes += moreBytes
        guard nodes <= limits.nodes else {
            throw refusal(
                "yaml_too_large", "more than \(limits.nodes) keys and values, aliases counted each time they are used",
                event)
        }
        guard textBytes <= limits.textBytes else {
            throw refusal(
                "yaml_too_large",
                "more than \(limits.textBytes) bytes of text, aliases counted each time they are used",
                event)
        }
    }

    private func check(_ event: YAMLEvent, isTagged allowed: [String], depth: Int) throws {
        guard depth <= limits.depth else { throw tooDeep(event) }
        guard let tag = event.tag, tag != "!", !allowed.contains(tag) else { return }
        throw refusal("unknown_tag", "the tag `\(shortened(tag))` means nothing here", event)
    }

    private func scalar(_ text: String, isPlain: Bool, _ event: YAMLEvent) throws -> LocatedValue.Content {
        switch event.tag {
        case nil: return isPlain ? PlainScalar.content(text) : .scalar(text, .text)
        case "str", "!": return .scalar(text, .text)
        case "int", "bool", "float", "null": return PlainScalar.content(text)
        case let tag?:
            throw refusal("unknown_tag", "the tag `\(shortened(tag))` means nothing here", event)
        }
    }

    private func tooDeep(_ event: YAMLEvent) -> Refusal {
        refusal("yaml_too_deep", "more than \(limits.depth) maps and lists inside each other", event)
    }

    private func refusal(_ code: String, _ message: String, _ event: YAMLEvent) -> Refusal {
        Refusal(diagnostic: Diagnostic(.error, code: code, message, at: location(event)))
    }

    private mutating func report(_ code: String, _ message: String, _ at: SourceLocation) {
        guard diagnostics.count < Findings.limit else { return }
        diagnostics.append(Diagnostic(.error, code: code, message, at: at))
    }

    private func location(_ event: YAMLEvent) -> SourceLocation {
        SourceLocation(file: file, line: event.line, column: event.column)
    }
}
