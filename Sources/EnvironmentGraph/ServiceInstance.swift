import Blueprints

/// One running copy of a service within an environment. The first has the service's own name, the others
/// `payments.2`, `payments.3`; a service's name has no dot, so that the two are never mistaken for each other.
extension ServiceSpec {
    /// As many as replicas are wanted; none for 0.
    package var instances: [String] {
        replicas < 1 ? [] : [name] + (2..<max(2, replicas + 1)).map { "\(name).\($0)" }
    }
}

/// The service that an instance is a copy of.
package func serviceName(ofInstance instance: String) -> String {
    instance.firstIndex(of: ".").map { String(instance[..<$0]) } ?? instance
}
