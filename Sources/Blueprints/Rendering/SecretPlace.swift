/// Where in a Blueprint a value stands, as far as it matters for what may be shown: the `value` of a secret and the
/// `password` of an initialiser are never printed where they are literal.
enum SecretPlace {
    case root
    case services
    case service
    case secrets
    case initialisers
    /// The `value` of a secret, or the `password` of an initialiser.
    case hidden
    case plain

    /// Of the value of a key.
    func below(_ key: String) -> SecretPlace {
        switch self {
        case .root: key == "services" ? .services : .plain
        // Services written as a map.
        case .services: .service
        case .service: key == "secrets" ? .secrets : key == "init" ? .initialisers : .plain
        case .secrets: key == "value" ? .hidden : .secrets
        case .initialisers: key == "password" ? .hidden : .initialisers
        // What names the place of a secret is none.
        case .hidden: ["fromEnv", "fromFile"].contains(key) ? .plain : .hidden
        case .plain: .plain
        }
    }

    /// Of the items of a list.
    var item: SecretPlace { self == .services ? .service : self }

    /// The same without what must not be shown.
    func concealed(_ value: LocatedValue) -> LocatedValue {
        var result = value
        result.overrode = value.overrode.map { old in
            var old = old
            old.text = concealed(old.text)
            return old
        }
        switch value.content {
        case .null: break
        case .scalar(let text, let kind):
            if self == .hidden { result.content = .scalar(concealed(text), kind) }
        case .sequence(let items): result.content = .sequence(items.map { item.concealed($0) })
        case .mapping(let entries):
            result.content = .mapping(
                entries.map { entry in
                    var entry = entry
                    entry.value = below(entry.key).concealed(entry.value)
                    return entry
                })
        }
        return result
    }

    /// The text of a value, or the one line that shows an old list.
    func concealed(_ text: String) -> String {
        switch self {
        case .root, .services, .service, .plain: text
        case .hidden: text == "auto-generated" || Self.isReference(text) ? text : Self.placeholder
        case .initialisers: text.contains("password: ") ? Self.placeholder : text
        case .secrets: text.contains("value: ") ? Self.placeholder : text
        }
    }

    static let placeholder = "(secret)"

    /// Whether the text is one reference, such as `${secrets.db-password}`, and holds nothing itself.
    private static func isReference(_ text: String) -> Bool {
        text.hasPrefix("${") && text.firstIndex(of: "}") == text.indices.last
    }
}
