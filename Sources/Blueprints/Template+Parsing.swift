extension Template {
    /// A reference that looks like one of ours, but is none.
    package struct Problem: Sendable, Hashable {
        package var code: String
        package var message: String
        package var hint: String?
    }

    /// The template that the text is, wrong references taken as literal text; a checked Blueprint has none.
    package init(parsing text: String) {
        self = Self.parse(text).template
    }

    /// The template, and what is wrong with its references. Names are not looked up.
    package static func parse(_ text: String) -> (template: Template, problems: [Problem]) {
        var parsing = TemplateParsing()
        parsing.parse(text)
        return (Template(segments: parsing.segments), parsing.problems)
    }
}

private struct TemplateParsing {
    var segments: [Template.Segment] = []
    var problems: [Template.Problem] = []
    private var literal = ""
    /// There is no further `}`, so nothing is looked for in vain a second time.
    private var isLastClosed = false

    mutating func parse(_ text: String) {
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            literal += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                literal += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                rest = reference(rest)
            } else {
                literal += "$"
                rest = rest.dropFirst()
            }
        }
        literal += rest
        if !literal.isEmpty { segments.append(.literal(literal)) }
    }

    /// - Parameter text: begins with `${`.
    /// - Returns: what follows the reference.
    private mutating func reference(_ text: Substring) -> Substring {
        let inside = text.dropFirst(2)
        guard !isLastClosed, let close = inside.firstIndex(of: "}") else {
            if problems.last?.code != "unterminated_reference",
                ["services.", "secrets.", "env.id", "env.overlayId"].contains(where: inside.hasPrefix)
            {
                problem("unterminated_reference", "`\(shortened(String(text.prefix(64))))` has no closing `}`", nil)
            }
            isLastClosed = true
            literal += "${"
            return inside
        }
        let path = String(inside[..<close])
        let rest = inside[inside.index(after: close)...]
        if let reference = parse(path: path) {
            if !literal.isEmpty { segments.append(.literal(literal)) }
            literal = ""
            segments.append(.reference(reference))
        } else {
            literal += "${\(path)}"
        }
        return rest
    }

    private mutating func parse(path: String) -> Template.Reference? {
        let parts = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        var shown: String { "`${\(shortened(path))}`" }
        switch parts[0] {
        case "services":
            guard parts.count == 3, !parts[1].isEmpty else {
                problem("unknown_reference", "\(shown) is no reference", "write ${services.<name>.address}")
                return nil
            }
            guard let attribute = Template.ServiceAttribute(rawValue: parts[2]) else {
                let all = Template.ServiceAttribute.allCases.map(\.rawValue)
                problem(
                    "unknown_attribute",
                    "\(shown): a service has \(Fields.alternatives(all)), not `\(shortened(parts[2]))`",
                    NearMiss.nearest(parts[2], among: all).map { "did you mean ${services.\(parts[1]).\($0)}?" })
                return nil
            }
            return .service(name: parts[1], attribute: attribute)
        case "env" where parts == ["env", "id"]: return .environmentID
        case "env" where parts == ["env", "overlayId"]: return .overlayID
        case "env" where parts.count > 1:
            problem(
                "unknown_attribute", "\(shown): the environment has `id` and `overlayId`",
                NearMiss.nearest(parts[1], among: ["id", "overlayId"]).map { "did you mean ${env.\($0)}?" })
        case "secrets" where parts.count == 2 && !parts[1].isEmpty: return .secret(name: parts[1])
        case "secrets":
            problem("unknown_reference", "\(shown) is no reference", "write ${secrets.<name>}")
        default:
            // Text of someone else's, unless it is nearly one of ours.
            guard parts.count > 1, let root = NearMiss.nearest(parts[0], among: ["services", "env", "secrets"]) else {
                break
            }
            let meant = ([root] + parts.dropFirst()).joined(separator: ".")
            problem(
                "unknown_reference", "\(shown) is no reference",
                "did you mean ${\(shortened(meant))}? $\(shown.dropFirst().dropLast()) stands for the text itself")
        }
        return nil
    }

    private mutating func problem(_ code: String, _ message: String, _ hint: String?) {
        problems.append(.init(code: code, message: message, hint: hint))
    }
}
