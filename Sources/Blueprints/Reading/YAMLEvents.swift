internal import CYaml

/// One step of libyaml's parser, in Swift values.
struct YAMLEvent {
    enum Kind {
        case documentStart
        case scalar(String, isPlain: Bool)
        case sequenceStart
        case mappingStart
        /// Of a sequence or mapping.
        case end
        case alias(String)
        case streamEnd
        case other
    }

    var kind: Kind
    /// Without the `tag:yaml.org,2002:` that all of YAML's own tags begin with; `nil` where none is written.
    var tag: String?
    var anchor: String?
    /// From 1.
    var line: Int
    var column: Int
    /// Where it ends: the first character that does not belong to it any more.
    var endLine = 0
    var endColumn = 0
    /// A list or map in `[…]` or `{…}`.
    var isFlow = false
    /// Text after `|` or `>`.
    var isBlockScalar = false
}

struct YAMLFailure: Error {
    var problem: String
    /// From 1; of the place that libyaml found fault with.
    var line: Int
    var column: Int
    /// Set instead of line and column where bytes, not structure, are at fault.
    var byteOffset: Int?
}

/// Pulls events from libyaml, the C library inside Yams.
///
/// Yams' own `compose` builds the tree by recursion without a limit and repeats aliased nodes without counting them, so
/// a small file could end the process. Events come one at a time and can be counted; libyaml itself keeps its state on
/// the heap and looks at most 1024 characters ahead.
final class YAMLEvents {
    private let parser: UnsafeMutablePointer<yaml_parser_t>

    /// - Parameter bytes: must stay valid for as long as the events are pulled.
    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        parser = .allocate(capacity: 1)
        yaml_parser_initialize(parser)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    func next() throws -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw failure() }
        defer { yaml_event_delete(&event) }
        var result = YAMLEvent(
            kind: .other, line: Int(event.start_mark.line) + 1, column: Int(event.start_mark.column) + 1)
        result.endLine = Int(event.end_mark.line) + 1
        result.endColumn = Int(event.end_mark.column) + 1
        switch event.type {
        case YAML_DOCUMENT_START_EVENT: result.kind = .documentStart
        case YAML_STREAM_END_EVENT: result.kind = .streamEnd
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: result.kind = .end
        case YAML_ALIAS_EVENT: result.kind = .alias(Self.text(event.data.alias.anchor) ?? "")
        case YAML_SEQUENCE_START_EVENT:
            result.kind = .sequenceStart
            result.isFlow = event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
            result.tag = Self.tag(event.data.sequence_start.tag)
            result.anchor = Self.text(event.data.sequence_start.anchor)
        case YAML_MAPPING_START_EVENT:
            result.kind = .mappingStart
            result.isFlow = event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
            result.tag = Self.tag(event.data.mapping_start.tag)
            result.anchor = Self.text(event.data.mapping_start.anchor)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            result.kind = .scalar(text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
            result.isBlockScalar = scalar.style == YAML_LITERAL_SCALAR_STYLE || scalar.style == YAML_FOLDED_SCALAR_STYLE
            result.tag = Self.tag(scalar.tag)
            result.anchor = Self.text(scalar.anchor)
        default: break
        }
        return result
    }

    private func failure() -> YAMLFailure {
        let state = parser.pointee
        let problem = state.problem.map { String(cString: $0) } ?? "the text is not YAML"
        let context = state.context.map { String(cString: $0) + ": " } ?? ""
        return YAMLFailure(
            problem: context + problem, line: Int(state.problem_mark.line) + 1,
            column: Int(state.problem_mark.column) + 1,
            byteOffset: state.error == YAML_READER_ERROR ? Int(state.problem_offset) : nil)
    }

    private static func text(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        bytes.map { String(cString: $0) }
    }

    private static func tag(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        guard let tag = text(bytes) else { return nil }
        let prefix = "tag:yaml.org,2002:"
        return tag.hasPrefix(prefix) ? String(tag.dropFirst(prefix.count)) : tag
    }
}
