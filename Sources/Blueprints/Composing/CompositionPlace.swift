/// Which lists are lists of named things, that is: where composing merges items by name.
enum CompositionPlace {
    case root
    case services
    case service
    /// The ports, volumes or secrets of a service.
    case namedThings
    /// One of them, and everything else.
    case plain

    var isNamedList: Bool { self == .services || self == .namedThings }

    /// Of the value of a key.
    func below(_ key: String) -> CompositionPlace {
        switch self {
        case .root where key == "services": .services
        case .service where ["ports", "volumes", "secrets"].contains(key): .namedThings
        default: .plain
        }
    }

    /// Of the items of a list.
    var item: CompositionPlace { self == .services ? .service : .plain }
}
