using System.Globalization;
using Sentiric.Contracts.Text;
using Sentiric.Testing;

namespace Sentiric.Contracts.Tests.Text;

public sealed class PhoneNumberTests
{
    [Theory]
    [InlineData("sip:+905321112233@127.0.0.1;user=phone", "+905321112233")]
    [InlineData("\"Ayşe\" <sip:05321112233@host>;tag=1", "+905321112233")]
    [InlineData("tel:+90-532-111-22-33", "+905321112233")]
    [InlineData("0532 111 22 33", "+905321112233")]
    [InlineData("5321112233", "+905321112233")]
    [InlineData("905321112233", "+905321112233")]
    [InlineData("00905321112233", "+905321112233")]
    [InlineData("+44 20 7946 0000", "+442079460000")]
    [InlineData("1001", "1001")]
    [InlineData("sip:ayse@sentiric", "ayse")]
    [InlineData("anonymous", "anonymous")]
    [InlineData("sip:anonymous@anonymous.invalid", "anonymous")]
    [InlineData("", "anonymous")]
    [InlineData(null, "anonymous")]
    [InlineData("+1234567890123456789", "anonymous")]
    [InlineData("alert(1)", "anonymous")]
    public void A_number_has_one_form(string? written, string normal) => Assert.Equal(normal, PhoneNumber.Normalize(written));

    [Fact]
    public void However_people_write_their_number_it_is_the_same_caller()
    {
        const int seed = 34;
        Assert.All(People.Make(500, seed), person =>
            Assert.All(People.WaysToWrite(person), written => Assert.Equal("+90" + person.MobileDigits, PhoneNumber.Normalize(written))));
    }

    [Fact]
    public void Normalising_twice_changes_nothing()
    {
        var random = new Random(34);
        const string alphabet = "+0123456789 -().sip:@;<>\"aİı";
        for (var i = 0; i < 20_000; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(0, 24)).Select(_ => alphabet[random.Next(alphabet.Length)])]);
            var once = PhoneNumber.Normalize(text);
            Assert.Equal(once, PhoneNumber.Normalize(once));
        }
    }

    [Fact]
    public void The_form_does_not_depend_on_the_culture()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("tr-TR");
            Assert.Equal("+905321112233", PhoneNumber.Normalize("SIP:+905321112233@HOST"));
            Assert.Equal("anonymous", PhoneNumber.Normalize("ANONYMOUS"));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
