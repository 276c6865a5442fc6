/// The product's version; the server, the gateway and every supervisor say theirs, so that a mixture is seen.
package let productVersion = "0.1.0"
