/// Builds the located tree of one YAML document from events, within the limits.
struct YAMLTree {
    struct Refusal: Error {
        var code: String
        var message: String
        var spot: Spot
    }

    private struct Anchor {
        var node: Node
        var nodes: Int
        var depth: Int
    }

    private let events: YAMLEvents
    private var nodes = 0
    private var anchors: [String: Anchor] = [:]
    private var problems: Problems

    /// - Parameter bytes: UTF-8.
    static func read(_ bytes: [UInt8], _ problems: inout Problems) -> Node? {
        // libyaml compares each `%TAG` with all before it.
        guard countDirectives(bytes) <= ContractLimits.directives else {
            problems.error("contract_too_large", "more than \(ContractLimits.directives) lines that begin with `%`")
            return nil
        }
        return bytes.withUnsafeBufferPointer { buffer in
            var tree = YAMLTree(events: YAMLEvents(buffer), problems: problems)
            defer { problems = tree.problems }
            do {
                guard let root = try tree.document() else {
                    tree.problems.error("empty_contract", "the file says nothing")
                    return nil
                }
                return root
            } catch let refusal as Refusal {
                tree.problems.error(refusal.code, refusal.message, at: refusal.spot)
            } catch let failure as YAMLFailure {
                let spot =
                    failure.byteOffset == nil
                    ? Spot(line: Int32(clamping: failure.line), column: Int32(clamping: failure.column)) : .start
                tree.problems.error("yaml_syntax", failure.problem, at: spot)
            } catch {
                tree.problems.error("yaml_syntax", "\(error)")
            }
            return nil
        }
    }

    private static func countDirectives(_ bytes: [UInt8]) -> Int {
        var count = 0
        var isLineStart = true
        for byte in bytes {
            if isLineStart, byte == UInt8(ascii: "%") { count += 1 }
            isLineStart = byte == 0x0A || byte == 0x0D
        }
        return count
    }

    private init(events: YAMLEvents, problems: Problems) {
        self.events = events
        self.problems = problems
    }

    private mutating func document() throws -> Node? {
        var root: Node?
        while true {
            let event = try events.next()
            switch event.kind {
            case .streamEnd: return root
            case .documentStart where root != nil:
                throw refusal("several_documents", "a second document starts here; a contract is one document", event)
            case .documentStart: root = try node(try events.next(), depth: 1).node
            default: continue
            }
        }
    }

    /// A value with the number of levels that it has.
    private mutating func node(_ event: YAMLEvent, depth: Int) throws -> (node: Node, levels: Int) {
        let before = nodes
        try count(1, event)
        guard depth <= ContractLimits.depth else { throw tooDeep(event) }
        let node: Node
        var levels = 0
        switch event.kind {
        case .alias(let name): return try alias(name, event, depth: depth)
        case .scalar(let text, let isPlain):
            let isText = event.tag == "str" || event.tag == "!" || (event.tag == nil && !isPlain)
            node = Node(isText ? .scalar(text, .text) : PlainValue.content(text), at: spot(event))
        case .sequenceStart: (node, levels) = try sequence(spot(event), depth: depth)
        case .mappingStart: (node, levels) = try mapping(spot(event), depth: depth)
        default: throw refusal("yaml_syntax", "a value is missing here", event)
        }
        if let name = event.anchor { anchors[name] = Anchor(node: node, nodes: nodes - before, depth: levels) }
        return (node, levels)
    }

    private mutating func sequence(_ at: Spot, depth: Int) throws -> (Node, Int) {
        var items: [Node] = []
        var levels = 1
        while true {
            let event = try events.next()
            if case .end = event.kind { return (Node(.sequence(items), at: at), levels) }
            let (item, below) = try node(event, depth: depth + 1)
            items.append(item)
            levels = max(levels, below + 1)
        }
    }

    private mutating func mapping(_ at: Spot, depth: Int) throws -> (Node, Int) {
        var entries: [Node.Entry] = []
        var merged: [Node] = []
        var seen: Set<String> = []
        var levels = 1
        while true {
            let event = try events.next()
            if case .end = event.kind { break }
            let (key, _) = try node(event, depth: depth + 1)
            let (value, below) = try node(try events.next(), depth: depth + 1)
            levels = max(levels, below + 1)
            if case .null = key.content {
                entries.append(.init(key: "", spot: spot(event), value: value))
                continue
            }
            guard let text = key.text else {
                problems.error("wrong_type", "a key must be text, not \(key.kindName)", at: key.spot)
                continue
            }
            if text == "<<", case .scalar(_, isPlain: true) = event.kind {
                merged += value.isSequence ? value.items : [value]
            } else if seen.insert(text).inserted {
                entries.append(.init(key: text, spot: spot(event), value: value))
            } else {
                problems.error("duplicate_key", "`\(shortened(text))` stands twice in this map", at: spot(event))
            }
        }
        // `<<: *anchor`: what the map does not say itself comes from the named maps.
        for map in merged {
            for entry in map.entries where seen.insert(entry.key).inserted { entries.append(entry) }
        }
        return (Node(.mapping(entries), at: at), levels)
    }

    private mutating func alias(_ name: String, _ event: YAMLEvent, depth: Int) throws -> (node: Node, levels: Int) {
        guard let anchor = anchors[name] else {
            throw refusal(
                "unknown_alias", "nothing that ends before here is named `&\(shortened(name))`", event)
        }
        try count(anchor.nodes, event)
        guard depth + anchor.depth - 1 <= ContractLimits.depth else { throw tooDeep(event) }
        return (anchor.node, anchor.depth)
    }

    private mutating func count(_ more: Int, _ event: YAMLEvent) throws {
        nodes += more
        guard nodes <= ContractLimits.nodes else {
            throw refusal(
                "contract_too_large",
                "more than \(ContractLimits.nodes) keys and values, aliases counted each time they are used", event)
        }
    }

    private func tooDeep(_ event: YAMLEvent) -> Refusal {
        refusal("too_deep", "more than \(ContractLimits.depth) maps and lists inside each other", event)
    }

    private func refusal(_ code: String, _ message: String, _ event: YAMLEvent) -> Refusal {
        Refusal(code: code, message: message, spot: spot(event))
    }

    private func spot(_ event: YAMLEvent) -> Spot {
        Spot(line: Int32(clamping: event.line), column: Int32(clamping: event.column))
    }
}
