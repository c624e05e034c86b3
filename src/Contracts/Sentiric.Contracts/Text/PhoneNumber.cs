namespace Sentiric.Contracts.Text;

/// <summary>
/// The one normaliser of called and calling numbers. E.164 with a leading plus ("+905321234567"); up to five digits stay an
/// extension ("1001"); a caller without a usable number is <see cref="Anonymous"/>. Accepts a SIP or tel URI, or what people type.
/// </summary>
public static class PhoneNumber
{
    public const string Anonymous = "anonymous";
    private const int MaxInput = 256;
    private const int MaxExtensionDigits = 5;
    private const int MaxE164Digits = 15;

    /// <summary>Normalises; never throws. <paramref name="countryCode"/> is used for national numbers (Turkey: 90).</summary>
    public static string Normalize(string? input, string countryCode = "90")
    {
        var user = UserPart(input);
        var plus = user.StartsWith('+');
        var digits = new string(user.Where(char.IsAsciiDigit).ToArray());
        var foreign = user.Any(c => !char.IsAsciiDigit(c) && c is not ('+' or ' ' or '-' or '(' or ')' or '.' or '/'));
        if (digits.Length == 0 || foreign)
        {
            return IsName(user) ? user : Anonymous;
        }

        return plus ? International(digits) : National(digits, countryCode);
    }

    /// <summary>True when the value is a number or extension that a route may name.</summary>
    public static bool IsDialable(string value) =>
        value.Length > 0 && (value[0] == '+' ? value.Length is >= 8 and <= MaxE164Digits + 1 : value.Length <= MaxExtensionDigits)
        && value.AsSpan(value[0] == '+' ? 1 : 0).IndexOfAnyExceptInRange('0', '9') < 0;

    /// <summary>True for what may be called: a number, an extension, or the name that a telephone registers under.</summary>
    public static bool IsCallable(string value) => IsDialable(value) || IsName(value);

    private static string International(string digits) => digits.Length <= MaxE164Digits ? "+" + digits : Anonymous;

    private static string National(string digits, string countryCode) => digits switch
    {
        { Length: <= MaxExtensionDigits } => digits,
        ['0', '0', .. var rest] => International(rest),
        ['0', .. var rest] when rest.Length == 10 => "+" + countryCode + rest,
        { Length: 10 } => "+" + countryCode + digits,
        _ => International(digits.TrimStart('0')),
    };

    // "sip:+90532...@host;user=phone", "<tel:+90532...>", "\"Ali\" <sip:100@x>"
    private static string UserPart(string? input)
    {
        if (string.IsNullOrWhiteSpace(input) || input.Length > MaxInput)
        {
            return "";
        }

        var text = input.AsSpan().Trim();
        var open = text.IndexOf('<');
        if (open >= 0)
        {
            text = text[(open + 1)..];
            var close = text.IndexOf('>');
            text = close >= 0 ? text[..close] : text;
        }

        var scheme = text.IndexOf(':');
        if (scheme is >= 3 and <= 4)
        {
            text = text[(scheme + 1)..];
        }

        var end = text.IndexOfAny('@', ';', '?');
        return (end >= 0 ? text[..end] : text).Trim().ToString();
    }

    // Registered phones call with a user name ("ayse"): kept as the contact value, lower case, letters, digits, . _ -
    private static bool IsName(string user) =>
        user.Length is > 0 and <= 64
        && !user.Equals(Anonymous, StringComparison.OrdinalIgnoreCase) && !user.Equals("unknown", StringComparison.OrdinalIgnoreCase)
        && char.IsAsciiLetterLower(user[0]) && user.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-');
}
