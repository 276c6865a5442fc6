import Foundation
import SimulatedRuntime

/// Small Blueprints with dependencies, initialisers, volumes and secrets.
struct RandomBlueprint {
    private static let names = ["api", "cart", "db", "web"]

    let random: SeededRandom

    func whole(_ name: String) -> (text: String, files: [String: String]) {
        let count = random.number(1...Self.names.count)
        var lines = ["name: \(name)", "services:"]
        var files: [String: String] = [:]
        for (index, service) in Self.names.prefix(count).enumerated() {
            let needs = Self.names.prefix(index).filter { _ in random.chance(0.4) }
            lines += self.service(service, needs: Array(needs), &files)
        }
        return (lines.joined(separator: "\n") + "\n", files)
    }

    /// Changes one or two services of whatever it stands on, or adds one.
    func overlay(_ name: String) -> (text: String, files: [String: String]) {
        var lines = ["name: \(name)", "services:"]
        var files: [String: String] = [:]
        if random.chance(0.3) {
            lines += service("extra", needs: random.chance(0.5) ? ["api"] : [], &files)
        } else {
            // Every stack has this one.
            lines += ["  - name: api", "    env: { CHANGED: \"\(random.number(1...1000))\" }"]
        }
        return (lines.joined(separator: "\n") + "\n", files)
    }

    private func service(_ name: String, needs: [String], _ files: inout [String: String]) -> [String] {
        var lines = ["  - name: \(name)", "    command: [/bin/service, \(name)]", "    ports: [\"8080\"]"]
        if !needs.isEmpty { lines.append("    dependsOn: [\(needs.joined(separator: ", "))]") }
        if let other = random.pick(needs) { lines.append("    env: { OTHER: \"${services.\(other).url}\" }") }
        if random.chance(0.3) {
            lines.append("    secrets: [{ name: \(name)-key, envKey: KEY, value: auto-generated }]")
        }
        if random.chance(0.3) { lines.append("    volumes: [{ name: data, mountPath: /data }]") }
        if random.chance(0.5) {
            let count = random.number(1...2)
            lines.append("    init:")
            for index in 0..<count {
                // Always of the same kind: what ran once is not run again when another revision has something else there.
                if (index + name.count).isMultiple(of: 2) {
                    lines.append("      - { type: command, command: [/bin/seed, \(name), \"\(index)\"] }")
                } else {
                    let path = "/files/\(name)-\(index).sql"
                    files[path] = "CREATE TABLE t\(index) ();"
                    lines.append("      - { type: sql, script: \(path) }")
                }
            }
        }
        return lines
    }
}
