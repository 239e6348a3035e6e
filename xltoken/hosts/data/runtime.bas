Option Explicit
Option Private Module

' What stands between a worksheet function and Python: arguments made plain, the call, errors made
' real, messages kept, and results remembered for as long as a calculation lasts.

Private Const BRIDGE As String = "xltoken.hosts.bridge"
Private Const MOST_CELLS As Long = 200000
Private Const MOST_MESSAGES As Long = 10000
Private Const MINUTES_DOWN As Long = 5
Private Const REFUSED As Long = vbObjectError + 513
Private Const NOT_YET As Long = vbObjectError + 514
Private Const NO_MAC As String = "xltoken: on a Mac, Excel's VBA cannot reach Python. The saved values stay until a cell is calculated; use xlwings Lite, or recalculate with: xltoken recalc"

Private mPython As Object    ' xlwings' server
Private mAnswers As Object   ' results of this calculation, by what was asked
Private mTold As Object      ' what was told with each of them
Private mMessages As Object  ' last message of each cell, by its address
Private mLast As String      ' last error of all
Private mDown As String      ' why Python could not be reached, and since when
Private mDownSince As Date
Private mHelped As Boolean   ' whether the function wizard knows our functions
Private mSaid As Boolean     ' whether the status bar shows a word of ours

' --- a worksheet function -------------------------------------------------------------------------

Public Function XltAsk(ByVal fname As String, ByVal given As Variant) As Variant
#If Mac Then
    mLast = NO_MAC
    XltAsk = CVErr(xlErrValue)
#Else
    Dim sent() As Variant, answer As Variant, key As String, told As String, i As Long
    On Error GoTo failed
    If mAnswers Is Nothing Then XltBegin
    ReDim sent(0 To UBound(given) - LBound(given) + 2)
    sent(0) = fname
    sent(1) = XltIs1904()
    For i = LBound(given) To UBound(given)
        sent(2 + i - LBound(given)) = XltPlain(given(i))
    Next i
    key = XltKey(sent)
    If Len(key) > 0 Then
        If mAnswers.Exists(key) Then
            XltNote mTold.Item(key)
            XltAsk = mAnswers.Item(key)
            Exit Function
        End If
    End If
    answer = XltPython(BRIDGE, "answer", sent)
    told = CStr(answer(LBound(answer, 1), LBound(answer, 2)))
    answer = XltResult(answer)
    If Len(key) > 0 Then
        mTold.Item(key) = told
        mAnswers.Item(key) = answer
    End If
    XltNote told
    XltAsk = answer
    Exit Function
failed:
    If Err.Number = NOT_YET Then
        XltNote "Warning: a cell that this formula reads was not computed yet."
    Else
        XltNote fname & ": " & Err.Description
    End If
    XltAsk = CVErr(xlErrValue)
#End If
End Function

Public Function XltPython(ByVal moduleName As String, ByVal procedure As String, ByVal given As Variant) As Variant
#If Mac Then
    Err.Raise REFUSED, "xltoken", NO_MAC
#Else
    ' A server that ended is found anew: a function is then asked once more. A command of the ribbon
    ' gets a new connection from the start, because it may not be done twice.
    Dim problem As String, number As Long
    If moduleName <> BRIDGE Then XltRetry
    On Error Resume Next
    XltPython = XltSent(moduleName, procedure, given)
    number = Err.Number
    problem = Err.Description
    If XltIsDead(number) And moduleName = BRIDGE Then
        Set mPython = Nothing
        Err.Clear
        XltPython = XltSent(moduleName, procedure, given)
        number = Err.Number
        problem = Err.Description
    End If
    On Error GoTo 0
    If number <> 0 Then
        Set mPython = Nothing
        If number <> REFUSED Then problem = "Python failed (" & problem & "); in a terminal, xltoken doctor says what is missing."
        Err.Raise REFUSED, "xltoken", problem
    End If
#End If
End Function

#If Mac Then
#Else
Private Function XltSent(ByVal moduleName As String, ByVal procedure As String, ByVal given As Variant) As Variant
    ' Neither workbook nor caller is handed over: Python would ask Excel about them in the middle of
    ' a calculation.
    If mPython Is Nothing Then XltConnect
    XltSent = mPython.CallUDF(moduleName, procedure, given)
End Function

Private Sub XltConnect()
    ' Starting a Python that does not start takes minutes: a failure is remembered for a while, or
    ' Excel would stand still once a cell.
    If Len(mDown) > 0 And Now - mDownSince < TimeSerial(0, MINUTES_DOWN, 0) Then Err.Raise REFUSED, "xltoken", mDown
    On Error GoTo failed
    Set mPython = XLPy
    mDown = ""
    Exit Sub
failed:
    mDown = "Python cannot be reached (" & Err.Description & "); in a terminal, xltoken doctor says what is missing. The button Recalculate tries again."
    mDownSince = Now
    Err.Raise REFUSED, "xltoken", mDown
End Sub

Private Function XltIsDead(ByVal number As Long) As Boolean
    ' Server not there, unavailable, failed, or disconnected.
    XltIsDead = (number = 462 Or number = &H800706BA Or number = &H800706BE Or number = &H80010108)
End Function
#End If

' --- arguments ------------------------------------------------------------------------------------

Private Function XltIs1904() As Boolean
    ' Of the workbook that holds the formula, which need not be the active one.
    If TypeName(Application.Caller) = "Range" Then XltIs1904 = Application.Caller.Worksheet.Parent.Date1904
End Function

Private Function XltPlain(Optional ByVal given As Variant) As Variant
    ' Value2: Value would cut Currency cells to four decimals and turn dates into another type.
    If IsObject(given) Then
        If TypeName(given) <> "Range" Then Err.Raise REFUSED, "xltoken", "an argument is a " & TypeName(given) & ", no range."
        If given.Areas.Count > 1 Then Err.Raise REFUSED, "xltoken", "a range in several parts cannot be read; name one block."
        If given.CountLarge > MOST_CELLS Then Err.Raise REFUSED, "xltoken", "a range of over " & MOST_CELLS & " cells; name the cells, not whole columns."
        If XltWaits(given) Then Err.Raise NOT_YET
        XltPlain = XltCells(given.Value2)
    ElseIf IsMissing(given) Then
        XltPlain = Empty
    Else
        XltPlain = XltCells(given)
    End If
End Function

Private Function XltWaits(ByVal area As Object) As Boolean
    ' No formula comes to a blank: where one reads blank it was not computed yet, and Excel will ask
    ' again once it was.
    Dim v As Variant, i As Long, j As Long
    If Not IsNull(area.HasFormula) Then    ' Null: some have one
        If Not area.HasFormula Then Exit Function
    End If
    v = area.Value2
    If Not IsArray(v) Then
        XltWaits = IsEmpty(v)
        Exit Function
    End If
    For i = LBound(v, 1) To UBound(v, 1)
        For j = LBound(v, 2) To UBound(v, 2)
            If IsEmpty(v(i, j)) Then
                If area.Cells(i, j).HasFormula Then
                    XltWaits = True
                    Exit Function
                End If
            End If
        Next j
    Next i
End Function

Private Function XltCells(ByVal v As Variant) As Variant
    Dim plain() As Variant, i As Long, j As Long
    If Not IsArray(v) Then
        XltCells = XltCell(v)
    ElseIf XltIsTable(v) Then
        ReDim plain(LBound(v, 1) To UBound(v, 1), LBound(v, 2) To UBound(v, 2))
        For i = LBound(v, 1) To UBound(v, 1)
            For j = LBound(v, 2) To UBound(v, 2)
                plain(i, j) = XltCell(v(i, j))
            Next j
        Next i
        XltCells = plain
    Else
        ReDim plain(LBound(v) To UBound(v))
        For i = LBound(v) To UBound(v)
            plain(i) = XltCell(v(i))
        Next i
        XltCells = plain
    End If
End Function

Private Function XltCell(Optional ByVal v As Variant) As Variant
    If IsMissing(v) Then    ' asked first: an argument left out is an error value too
        XltCell = Empty
    ElseIf IsError(v) Then
        XltCell = XltMark(XltCode(v))
    Else
        Select Case VarType(v)
            Case vbString, vbBoolean, vbDouble
                XltCell = v
            Case vbEmpty, vbNull
                XltCell = Empty
            Case Else
                XltCell = CDbl(v)
        End Select
    End If
End Function

Private Function XltCode(ByVal v As Variant) As Long
    On Error Resume Next
    XltCode = CLng(v)
    If XltCode = 0 Then XltCode = Val(Mid$(CStr(v), InStrRev(CStr(v), " ") + 1))
End Function

Private Function XltIsTable(ByVal v As Variant) As Boolean
    Dim most As Long
    On Error GoTo one_dimension
    most = UBound(v, 2)
    XltIsTable = True
one_dimension:
End Function

' --- results --------------------------------------------------------------------------------------

Private Function XltResult(ByVal answer As Variant) As Variant
    ' The first row of an answer is its message.
    Dim out() As Variant, i As Long, j As Long, first As Long, column As Long
    first = LBound(answer, 1)
    column = LBound(answer, 2)
    If UBound(answer, 1) = first + 1 And UBound(answer, 2) = column Then
        XltResult = XltErrorOf(answer(first + 1, column))
        Exit Function
    End If
    ReDim out(1 To UBound(answer, 1) - first, 1 To UBound(answer, 2) - column + 1)
    For i = 1 To UBound(out, 1)
        For j = 1 To UBound(out, 2)
            out(i, j) = XltErrorOf(answer(first + i, column + j - 1))
        Next j
    Next i
    XltResult = out
End Function

' --- results of this calculation ------------------------------------------------------------------

Public Sub XltForget()
    ' When a calculation ends: the catalog or the server may be another one at the next.
    Set mAnswers = Nothing
    Set mTold = Nothing
    Set mPython = Nothing
    If mSaid Then Application.StatusBar = False
    mSaid = False
End Sub

Public Sub XltRetry()
    ' Asked by hand: whether Python can be reached by now is looked at anew.
    XltForget
    mDown = ""
End Sub

Private Sub XltBegin()
    Set mTold = CreateObject("Scripting.Dictionary")
    Set mAnswers = CreateObject("Scripting.Dictionary")
    XltWatched    ' a reset of VBA loses the events; without them nothing would be forgotten
End Sub

Private Function XltKey(ByVal sent As Variant) As String
    ' Equal keys mean equal arguments; no key means that the call is not remembered.
    Dim pieces() As String, i As Long, j As Long, k As Long, n As Long
    On Error GoTo no_key
    ReDim pieces(0 To 63)
    For k = LBound(sent) To UBound(sent)
        If Not IsArray(sent(k)) Then
            XltAdd pieces, n, XltPiece(sent(k))
        ElseIf XltIsTable(sent(k)) Then
            XltAdd pieces, n, "t" & (UBound(sent(k), 1) - LBound(sent(k), 1)) & "x" & (UBound(sent(k), 2) - LBound(sent(k), 2))
            For i = LBound(sent(k), 1) To UBound(sent(k), 1)
                For j = LBound(sent(k), 2) To UBound(sent(k), 2)
                    XltAdd pieces, n, XltPiece(sent(k)(i, j))
                Next j
            Next i
        Else
            XltAdd pieces, n, "r" & (UBound(sent(k)) - LBound(sent(k)))
            For i = LBound(sent(k)) To UBound(sent(k))
                XltAdd pieces, n, XltPiece(sent(k)(i))
            Next i
        End If
    Next k
    ReDim Preserve pieces(0 To n - 1)
    XltKey = Join(pieces, "|")
    Exit Function
no_key:
    XltKey = ""
End Function

Private Sub XltAdd(ByRef pieces() As String, ByRef n As Long, ByVal piece As String)
    If n > UBound(pieces) Then ReDim Preserve pieces(0 To 2 * n)
    pieces(n) = piece
    n = n + 1
End Sub

Private Function XltPiece(ByVal v As Variant) As String
    Dim rest As Double
    Select Case VarType(v)
        Case vbDouble
            ' Its text has 15 digits; what they leave is the rest of the number.
            XltPiece = "n" & CStr(v)
            rest = v - CDbl(CStr(v))
            If rest <> 0 Then XltPiece = XltPiece & "+" & CStr(rest)
        Case vbString
            XltPiece = "s" & Len(v) & ":" & v
        Case vbBoolean
            If v Then XltPiece = "true" Else XltPiece = "false"
        Case Else
            XltPiece = "e"
    End Select
End Function

' --- messages -------------------------------------------------------------------------------------

Public Function XltMessageOf(ByVal address As String) As String
    If mMessages Is Nothing Then Exit Function
    If mMessages.Exists(address) Then XltMessageOf = mMessages.Item(address)
End Function

Public Function XltLastMessage() As String
    XltLastMessage = mLast
End Function

Private Sub XltNote(ByVal told As String)
    Dim place As String
    If mMessages Is Nothing Then Set mMessages = CreateObject("Scripting.Dictionary")
    If TypeName(Application.Caller) = "Range" Then place = Application.Caller.Cells(1, 1).Address(External:=True)
    If Len(told) = 0 Then
        If mMessages.Exists(place) Then mMessages.Remove place
        Exit Sub
    End If
    If mMessages.Count >= MOST_MESSAGES Then mMessages.RemoveAll
    mMessages.Item(place) = told
    If InStr(told, "Warning: ") <> 1 Then mLast = told
End Sub

' --- when Excel or a workbook opens ---------------------------------------------------------------

Public Sub XltStart()
#If Mac Then
    Application.StatusBar = NO_MAC
#Else
    Dim wb As Workbook
    XltWatched
    XltHelp
    For Each wb In Application.Workbooks
        XltBind wb
    Next wb
#End If
End Sub

Private Sub XltWatched()
    ' Late bound: the workbook's module is called otherwise in other languages.
    Dim book As Object
    Set book = ThisWorkbook
    book.XltWatch
End Sub

Public Sub XltHelp()
    ' Help for the function wizard. Excel registers it for visible workbooks only, so the add-in is
    ' one for a moment; neither workbook may look changed by it. Tried again until it succeeds.
    Dim saved As Boolean, hidden As Boolean, events As Boolean, drawn As Boolean, front As Workbook
    If mHelped Then Exit Sub
    mHelped = True    ' also while it is visible, which raises events
    saved = ThisWorkbook.Saved
    hidden = ThisWorkbook.IsAddin
    events = Application.EnableEvents
    drawn = Application.ScreenUpdating
    Set front = Application.ActiveWorkbook
    On Error GoTo later
    Application.EnableEvents = False
    Application.ScreenUpdating = False
    If hidden Then ThisWorkbook.IsAddin = False
    XltRegister
done:
    On Error Resume Next
    If hidden Then ThisWorkbook.IsAddin = True
    If Not front Is Nothing Then front.Activate
    ThisWorkbook.Saved = saved
    Application.ScreenUpdating = drawn
    Application.EnableEvents = events
    Exit Sub
later:
    mHelped = False
    Resume done
End Sub

Public Sub XltBind(ByVal wb As Workbook)
    ' A workbook made outside Excel names our functions without knowing where they are: Excel looks
    ' for them when it rebuilds. That would put errors in the place of good saved values where
    ' Python does not answer, or where the names lead to an add-in in another folder.
    On Error GoTo left_alone
    If Not ThisWorkbook.IsAddin Then Exit Sub
    If wb.IsAddin Or Application.Calculation <> xlCalculationAutomatic Then Exit Sub
    If XltCarries(wb) Then Exit Sub
    If Not XltCalls(wb) Then Exit Sub
    If XltLinkedElsewhere(wb) Then
        XltSay wb.Name & " is linked to an add-in in another folder. In a terminal: xltoken relink"
    ElseIf Not XltReachable() Then
        XltSay mLast
    Else
        Application.CalculateFullRebuild
    End If
left_alone:
End Sub

Public Function XltReachable() As Boolean
    ' Whether Python answers; where it does not, the last message says why.
    XltReachable = Not IsError(XltAsk("XLTOKEN_INFO", Array(Empty)))
End Function

Private Sub XltSay(ByVal text As String)
    Application.StatusBar = Left$("xltoken: " & text, 200)
    mSaid = True
End Sub

Private Function XltCarries(ByVal wb As Workbook) As Boolean
    ' Whether the workbook has the functions inside: with them goes their help.
    If wb.HasVBProject Then XltCarries = wb.CustomXMLParts.SelectByNamespace(XLT_HELP).Count > 0
End Function

Private Function XltLinkedElsewhere(ByVal wb As Workbook) As Boolean
    Dim link As Variant, links As Variant
    links = wb.LinkSources(xlExcelLinks)
    If IsEmpty(links) Then Exit Function
    For Each link In links
        If StrComp(Mid$(link, InStrRev(Replace(link, "/", "\"), "\") + 1), ThisWorkbook.Name, vbTextCompare) = 0 Then
            If StrComp(link, ThisWorkbook.FullName, vbTextCompare) <> 0 Then XltLinkedElsewhere = True
        End If
    Next link
End Function

Private Function XltCalls(ByVal wb As Workbook) As Boolean
    ' Whether a formula of the workbook has one of our names. Opening a large workbook may not take
    ' longer for it: what is beyond the limit is not looked at, and that is said.
    Dim sheet As Worksheet, formulas As Variant, cell As Variant, seen As Double, skipped As Boolean
    On Error GoTo next_sheet
    For Each sheet In wb.Worksheets
        seen = seen + sheet.UsedRange.CountLarge
        If seen > MOST_CELLS Then
            seen = seen - sheet.UsedRange.CountLarge
            skipped = True
        Else
            formulas = sheet.UsedRange.Formula
            If Not IsArray(formulas) Then formulas = Array(formulas)
            For Each cell In formulas
                If XltIsOurs(cell) Then
                    XltCalls = True
                    Exit Function
                End If
            Next cell
        End If
next_one:
    Next sheet
    If skipped Then XltSay wb.Name & " is too large to be searched for our functions. Where one shows #NAME?, press Recalculate."
    Exit Function
next_sheet:
    Resume next_one
End Function

Public Function XltIsOurs(ByVal formula As Variant) As Boolean
    Dim fname As Variant
    If VarType(formula) <> vbString Then Exit Function
    If InStr(formula, "=") <> 1 Or InStr(formula, "_") = 0 Then Exit Function
    formula = UCase$(formula)
    For Each fname In XltNames()
        If InStr(formula, fname & "(") > 0 Then
            XltIsOurs = True
            Exit Function
        End If
    Next fname
End Function
