using System.Text;

namespace Sentiric.Sip.Tests.Sight;

public sealed class MaskedMessageTests
{
    [Fact]
    public void Answers_to_challenges_and_media_keys_become_stars_of_the_same_length()
    {
        const string message = "INVITE sip:a@b SIP/2.0\r\nAuthorization: Digest username=\"u\"\r\nproxy-authorization :\tDigest x,\r\n response=\"y\"\r\nTo: <sip:a@b>\r\n"
            + "X-Folded: one\r\n two\r\n\r\nv=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\r\nk=base64:c2Vj\r\na=key-mgmt:mikey AQAF\r\nAuthorization: in the body\r\n";
        string masked = MaskedMessage.Of(Encoding.UTF8.GetBytes(message));
        Assert.Equal(
            "INVITE sip:a@b SIP/2.0\r\nAuthorization: *******************\r\nproxy-authorization :\t*********\r\n ************\r\nTo: <sip:a@b>\r\n"
            + "X-Folded: one\r\n two\r\n\r\nv=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:********\r\nk=***********\r\na=key-mgmt:**********\r\nAuthorization: in the body\r\n",
            masked);
    }

    [Fact]
    public void What_no_text_column_takes_becomes_question_marks_and_the_rest_stays() =>
        Assert.Equal("Ayşe ??? ı?İ", MaskedMessage.Of([.. "Ayşe "u8, 0, 0xFF, 0xC3, .. " ı"u8, 0xE2, .. "İ"u8]));

    [Fact]
    public void A_cut_message_keeps_its_beginning_and_no_half_character() =>
        Assert.Equal("Ay?", MaskedMessage.Of("Ayşe"u8, 3));

    [Fact]
    public void Whatever_comes_the_text_is_as_long_as_the_message()
    {
        var dice = new Random(20261122);
        for (int n = 0; n < 2_000; n++)
        {
            byte[] message = new byte[dice.Next(600)];
            dice.NextBytes(message);
            for (int lines = dice.Next(8); lines > 0 && message.Length > 20; lines--)
            {
                "\r\nAuthorization: "u8[..dice.Next(17)].CopyTo(message.AsSpan(dice.Next(message.Length - 17)));
            }

            string masked = MaskedMessage.Of(message);
            Assert.Equal(message.Length, Encoding.UTF8.GetByteCount(masked));
            Assert.DoesNotContain('\0', masked);
        }
    }
}
