import Blueprints

/// The files and variables of this machine that a Blueprint names, read; what is missing is a problem at the place that
/// names it. A secret's value is in no message.
struct ReadInputs {
    /// Most bytes of all of them together, so that the request fits what a server takes.
    static let maxBytes = 8 << 20

    /// Contents by absolute path.
    private(set) var files: [String: String] = [:]
    /// Values by `<service>/<secret>`.
    private(set) var secrets: [String: String] = [:]
    private(set) var diagnostics: [Diagnostic] = []
    private var total = 0

    init() {}

    /// - Parameters:
    ///   - document: what the spec was read from, for the places of problems.
    ///   - known: paths of files that came along with registered layers, and are not read here.
    init(
        of spec: BlueprintSpec, in document: BlueprintDocument, environment: [String: String], known: Set<String>,
        readsSecrets: Bool
    ) {
        for input in Blueprint.referencedInputs(spec) {
            switch input {
            case .initScript(_, let path) where known.contains(path): continue
            case .secretFile where !readsSecrets, .secretVariable where !readsSecrets: continue
            case .initScript(let service, let path):
                let place = Self.script(service, path, document)
                if let text = text(of: path, place, code: "missing_file") { files[path] = text }
            case .contract(let service, let path):
                let written = Self.service(service, document)
                let place = (written["contract"] ?? written).location
                if let text = text(of: path, place, code: "missing_file") { files[path] = text }
            case .secretFile(let service, let secret, let path):
                let place = Self.secret(service, secret, document)
                guard var text = text(of: path, place, code: "missing_secret") else { continue }
                // An editor's last end of line is no part of a password.
                if text.hasSuffix("\n") { text.removeLast() }
                secrets["\(service)/\(secret)"] = text
            case .secretVariable(let service, let secret, let variable):
                if let value = environment[variable] {
                    secrets["\(service)/\(secret)"] = value
                } else {
                    complain(
                        Self.secret(service, secret, document), code: "missing_secret",
                        "the environment variable \(variable) is not set",
                        hint: "export \(variable)=…, or use `value: auto-generated`")
                }
            }
        }
    }

    private mutating func text(of path: String, _ place: SourceLocation, code: String) -> String? {
        do {
            let bytes = try InputFile.read(path)
            total += bytes.count
            guard total <= Self.maxBytes else {
                complain(place, code: "too_large", "the files named are over \(Self.maxBytes >> 20) MiB together")
                return nil
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                complain(place, code: code, "\(path) is not UTF-8 text")
                return nil
            }
            return text
        } catch {
            complain(place, code: code, "cannot read \(path): \(error.message)")
            return nil
        }
    }

    private mutating func complain(_ place: SourceLocation, code: String, _ message: String, hint: String? = nil) {
        diagnostics.append(
            Diagnostic(
                .error, code: code, message: message, file: place.file.shown, line: place.line, column: place.column,
                hint: hint))
    }

    private static func service(_ name: String, _ document: BlueprintDocument) -> LocatedValue {
        named(name, document.value["services"]) ?? document.value
    }

    private static func secret(_ service: String, _ name: String, _ document: BlueprintDocument) -> SourceLocation {
        let service = self.service(service, document)
        let secret = named(name, service["secrets"])
        return (secret?["value"] ?? secret ?? service).location
    }

    /// The `script:` that names `path`.
    private static func script(_ service: String, _ path: String, _ document: BlueprintDocument) -> SourceLocation {
        let service = self.service(service, document)
        guard let written = service["init"] else { return service.location }
        let scripts = (written.items + [written]).compactMap { $0["script"] }
        let match = scripts.first { script in
            guard let text = script.text else { return false }
            return path.hasSuffix(text.hasPrefix("./") ? String(text.dropFirst(2)) : text)
        }
        return (match ?? scripts.first ?? written).location
    }

    private static func named(_ name: String, _ list: LocatedValue?) -> LocatedValue? {
        list?.items.first { $0["name"]?.text == name }
    }
}
