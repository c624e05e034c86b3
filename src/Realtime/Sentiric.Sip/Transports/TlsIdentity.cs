using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Sentiric.Sip;

/// <summary>
/// Whether a certificate speaks for the domain that was asked for (RFC 5922 7.1 and 7.2): SIP URIs of the domain first; where there are none, DNS names;
/// where there is no alternative name at all, the common name. No wildcards, no part of a name. For an address: its IP alternative name.
/// </summary>
internal static class TlsIdentity
{
    private const string AlternativeNames = "2.5.29.17";
    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);
    private static readonly Asn1Tag DnsTag = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag AddressTag = new(TagClass.ContextSpecific, 7);

    public static bool Matches(X509Certificate2 certificate, string host)
    {
        if (Names.Of(certificate) is not { } names)
        {
            return false;
        }

        if (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address))
        {
            return names.Addresses.Contains(address);
        }

        IReadOnlyList<string> domains = names.SipDomains.Count > 0 ? names.SipDomains : names.DnsNames;
        return domains.Count > 0 || names.HasAlternatives
            ? domains.Any(name => Same(name, host))
            : Same(certificate.GetNameInfo(X509NameType.SimpleName, false), host);
    }

    private static bool Same(string name, string host) => name.TrimEnd('.').Equals(host.TrimEnd('.'), StringComparison.OrdinalIgnoreCase);

    private sealed record Names(bool HasAlternatives, List<string> SipDomains, List<string> DnsNames, List<IPAddress> Addresses)
    {
        /// <summary>Null when the extension cannot be read: such a certificate speaks for nobody.</summary>
        public static Names? Of(X509Certificate2 certificate)
        {
            var names = new Names(certificate.Extensions[AlternativeNames] is not null, [], [], []);
            try
            {
                if (certificate.Extensions[AlternativeNames] is { } extension)
                {
                    names.Read(new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence());
                }

                return names;
            }
            catch (Exception broken) when (broken is AsnContentException or CryptographicException or ArgumentException)
            {
                return null;
            }
        }

        // GeneralNames (RFC 5280 4.2.1.6); kinds that say nothing about a SIP domain are passed over.
        private void Read(AsnReader reader)
        {
            while (reader.HasData)
            {
                Asn1Tag tag = reader.PeekTag();
                if (tag == UriTag)
                {
                    AddDomain(reader.ReadCharacterString(UniversalTagNumber.IA5String, UriTag));
                }
                else if (tag == DnsTag)
                {
                    DnsNames.Add(reader.ReadCharacterString(UniversalTagNumber.IA5String, DnsTag));
                }
                else if (tag == AddressTag)
                {
                    Addresses.Add(new IPAddress(reader.ReadOctetString(AddressTag)));
                }
                else
                {
                    reader.ReadEncodedValue();
                }
            }
        }

        // A URI with a user names a person, not a domain (RFC 5922 7.1).
        private void AddDomain(string uri)
        {
            if (SipUri.TryParse(uri, out SipUri? sip) && sip is { Scheme: "sip", User: null })
            {
                SipDomains.Add(sip.Host);
            }
        }
    }
}
