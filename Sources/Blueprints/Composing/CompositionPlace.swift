/// Which lists are lists of named things, that is: where composing merges items by name.
enum CompositionPlace {
    case root
    case services
    case service
    /// The ports, volumes or secrets of a service.
    case namedThings
    /// One of them.
    case namedThing
    /// Everything else.
    case plain

    var isNamedList: Bool { self == .services || self == .namedThings }

    /// Whether a value at this place is `{name: x, remove: true}`; elsewhere `remove` is a key like any other.
    func isRemoval(_ value: LocatedValue) -> Bool {
        (self == .service || self == .namedThing) && value.isRemoval
    }

    /// Of the value of a key.
    func below(_ key: String) -> CompositionPlace {
        switch self {
        case .root where key == "services": .services
        case .service where ["ports", "volumes", "secrets"].contains(key): .namedThings
        default: .plain
        }
    }

    /// Of the items of a list.
    var item: CompositionPlace {
        switch self {
        case .services: .service
        case .namedThings: .namedThing
        default: .plain
        }
    }
}
