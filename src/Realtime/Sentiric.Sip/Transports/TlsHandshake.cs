using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Sentiric.Sip;

/// <summary>Puts TLS over a connection, as the one who opened it or as the one who took it.</summary>
internal sealed class TlsHandshake(SipTlsOptions options)
{
    private const SslProtocols Versions = SslProtocols.Tls12 | SslProtocols.Tls13;
    private readonly SslStreamCertificateContext ours = SslStreamCertificateContext.Create(options.Certificate, options.Intermediates, offline: true);

    /// <exception cref="AuthenticationException">The peer is not who it should be, or no TLS is spoken; <see cref="IOException"/> when it goes away.</exception>
    public async Task<SslStream> TakeAsync(Stream connection, CancellationToken ct)
    {
        var tls = new SslStream(connection);
        await tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificateContext = ours,
                EnabledSslProtocols = Versions,
                ClientCertificateRequired = options.RequireClientCertificate,
                CertificateChainPolicy = Trust(),
                RemoteCertificateValidationCallback = (_, _, _, errors) => !options.RequireClientCertificate || errors == SslPolicyErrors.None,
            },
            ct).ConfigureAwait(false);
        return tls;
    }

    /// <param name="host">Domain or address that the certificate must speak for.</param>
    /// <inheritdoc cref="TakeAsync"/>
    public async Task<SslStream> OpenAsync(Stream connection, string host, CancellationToken ct)
    {
        var tls = new SslStream(connection);
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = host,
                EnabledSslProtocols = Versions,
                ClientCertificateContext = ours,
                CertificateChainPolicy = Trust(),
                // The name is compared by RFC 5922's rules, which know no wildcards; everything else is the chain's affair.
                RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                    (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None && certificate is X509Certificate2 shown && TlsIdentity.Matches(shown, host),
            },
            ct).ConfigureAwait(false);
        return tls;
    }

    private X509ChainPolicy Trust()
    {
        var policy = new X509ChainPolicy { RevocationMode = options.Revocation };
        if (options.TrustedRoots is { } roots)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(roots);
        }

        return policy;
    }
}
